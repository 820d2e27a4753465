"""The two front ends, HTTP and the command line: the only place where the parts are put together."""
