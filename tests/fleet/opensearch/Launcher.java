import java.nio.file.Path;
import org.codelibs.opensearch.runner.OpenSearchRunner;

/**
 * A real OpenSearch node in one JVM: `java -cp "lib/*" Launcher.java <home> <port>`.
 *
 * Listens on loopback; ends on SIGTERM.
 */
public class Launcher {
    public static void main(String[] args) throws Exception {
        var runner = new OpenSearchRunner();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                runner.close();
            } catch (Exception failed) {
                failed.printStackTrace();
            }
        }));
        runner.onBuild((number, settings) -> {
            settings.put("network.host", "127.0.0.1");
            settings.put("http.port", args[1]);
            settings.put("transport.port", "0");
            settings.put("cluster.routing.allocation.disk.threshold_enabled", false);
        }).build(OpenSearchRunner.newConfigs()
                .basePath(Path.of(args[0]).toString())
                .numOfNode(1)
                .clusterName("inventory-tests"));
        Thread.currentThread().join();
    }
}
