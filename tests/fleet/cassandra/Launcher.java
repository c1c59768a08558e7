import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import org.apache.cassandra.service.CassandraDaemon;
import org.slf4j.LoggerFactory;

/**
 * A real Cassandra node in one JVM: `java -cp "lib/*" -Dcassandra.config=file:<yaml> Launcher.java`.
 *
 * Listens where its configuration says; ends on SIGTERM.
 */
public class Launcher {
    public static void main(String[] args) throws Exception {
        ((Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME)).setLevel(Level.WARN);
        new CassandraDaemon(true).activate();
        Thread.currentThread().join();
    }
}
