"""SQL databases: every module here that has a `SCANNER` is one."""
