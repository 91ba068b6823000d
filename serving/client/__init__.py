"""Ask a scoring service, from a blocking program or an asynchronous one."""

from serving.client.client import AsyncClient, Client

__all__ = ["AsyncClient", "Client"]
