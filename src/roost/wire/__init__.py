"""HTTP/1.1 between a socket and the ASGI application: uvicorn listens, httptools reads, and this is what is between."""
