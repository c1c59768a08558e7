import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import org.neo4j.configuration.GraphDatabaseSettings;
import org.neo4j.configuration.connectors.BoltConnector;
import org.neo4j.configuration.connectors.ConnectorPortRegister;
import org.neo4j.configuration.connectors.ConnectorType;
import org.neo4j.configuration.helpers.SocketAddress;
import org.neo4j.dbms.api.DatabaseManagementServiceBuilder;
import org.neo4j.kernel.internal.GraphDatabaseAPI;

/**
 * A real Neo4j in one JVM: `java -cp "lib/*" Launcher.java <home> <port file>`.
 *
 * Listens on a free loopback port, which it writes to the port file; stops when its standard input closes, so that it
 * never outlives the test run that started it. The first login is neo4j/neo4j and must change the password.
 */
public class Launcher {
    public static void main(String[] args) throws Exception {
        Path home = Path.of(args[0]);
        Path portFile = Path.of(args[1]);
        var server = new DatabaseManagementServiceBuilder(home)
                .setConfig(BoltConnector.enabled, true)
                .setConfig(BoltConnector.listen_address, new SocketAddress("127.0.0.1", 0))
                .setConfig(GraphDatabaseSettings.auth_enabled, true)
                .setConfig(GraphDatabaseSettings.pagecache_memory, 64L * 1024 * 1024)
                .setConfig(GraphDatabaseSettings.transaction_timeout, Duration.ofMinutes(2))
                .build();
        var database = (GraphDatabaseAPI) server.database("neo4j");
        var bolt = database.getDependencyResolver().resolveDependency(ConnectorPortRegister.class)
                .getLocalAddress(ConnectorType.BOLT);
        Path draft = portFile.resolveSibling(portFile.getFileName() + ".draft");
        Files.writeString(draft, String.valueOf(bolt.getPort()));
        Files.move(draft, portFile, StandardCopyOption.ATOMIC_MOVE);
        while (System.in.read() >= 0) { } // the parent holds the other end
        server.shutdown();
        System.exit(0);
    }
}
