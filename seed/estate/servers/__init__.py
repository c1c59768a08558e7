"""The estate's real servers: child processes on free loopback ports that end with the process that started them."""
