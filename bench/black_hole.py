"""A receiver that accepts every connection, reads, and never answers: black_hole.py PORT"""

import asyncio
import sys


async def swallow(reader, writer):
    try:
        while await reader.read(65536):
            pass
    except OSError:
        pass
    writer.close()


async def main():
    server = await asyncio.start_server(swallow, "127.0.0.1", int(sys.argv[1]), backlog=4096)
    await server.serve_forever()


asyncio.run(main())
