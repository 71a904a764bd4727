"""Start the stand-in: `python -m tests.sandbox.cluster --port 16443 --state .sandbox`."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from tests.sandbox.cluster import tls
from tests.sandbox.cluster.access import Access
from tests.sandbox.cluster.cluster import Cluster
from tests.sandbox.cluster.control import Control
from tests.sandbox.cluster.gate import Gate
from tests.sandbox.cluster.server import Listener, application

MANIFESTS = Path(__file__).parents[1] / "manifests"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.sandbox.cluster", description=__doc__)
    parser.add_argument(
        "--port",
        type=int,
        default=int(os.environ.get("SANDBOX_KUBERNETES_PORT", 16443)),
        help="HTTPS port of the API; 0 takes a free one (default: %(default)s)",
    )
    parser.add_argument(
        "--control-port",
        type=int,
        default=int(os.environ.get("SANDBOX_KUBERNETES_CONTROL_PORT", 16444)),
        help="plain-http port of faults and metrics (default: %(default)s)",
    )
    parser.add_argument(
        "--state",
        type=Path,
        default=Path(os.environ.get("SANDBOX_DIR", ".sandbox")),
        help="folder for kubeconfig, certificates and the pods' folders (default: %(default)s)",
    )
    parser.add_argument(
        "--manifests", type=Path, default=MANIFESTS, help="folder of the manifests that seed it"
    )
    parser.add_argument(
        "--extra-pods", type=int, default=0, help="healthy pods to add, for measuring (default: none)"
    )
    return parser.parse_args()


async def serve(options: argparse.Namespace) -> None:
    state = options.state.resolve()
    cluster = Cluster(options.manifests, state)
    access = Access(state)
    gate = Gate(cluster, access)
    api = Listener(application(gate.handle), options.port, tls.server_context(state / "cluster"))
    control = Listener(Control(cluster, gate, api).application(), options.control_port)
    if options.extra_pods:
        cluster.synthetic.replace(options.extra_pods, "doc-rag-prod")
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await api.open()
    await control.open()
    heartbeat = asyncio.create_task(cluster.live())
    tls.write_kubeconfig(state / "kubeconfig", api.port, state / "cluster" / "ca.crt", access.tokens)
    print(
        f"API on https://127.0.0.1:{api.port}, control on http://127.0.0.1:{control.port}, "
        f"kubeconfig {state / 'kubeconfig'}",
        flush=True,
    )
    await stop.wait()
    heartbeat.cancel()
    await api.close()
    await control.close()
    await gate.execution.stop()


def main() -> int:
    options = arguments()
    try:
        asyncio.run(serve(options))
    except OSError as error:
        print(
            f"The stand-in cluster cannot listen on port {options.port}: {error}. Choose others with "
            f"--port and --control-port (SANDBOX_KUBERNETES_PORT, SANDBOX_KUBERNETES_CONTROL_PORT).",
            file=sys.stderr,
        )
        return 1
    except ValueError as error:
        print(f"The stand-in cluster cannot start: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
