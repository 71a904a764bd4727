"""cert-manager: what it reports of the certificates that it keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.sandbox.cluster import identity
from tests.sandbox.cluster.quantities import rfc3339
from tests.sandbox.cluster.world import World, condition, reference
from tests.sandbox.issuer import Issuer, renewal_of

Object = dict[str, Any]
READY = "Certificate is up to date and has not expired"


def issue(world: World, state: Path) -> None:
    """Have every Certificate issued, and say so in its status and in the request that it took.

    One without names is left as it is: without a status.
    """
    issuer = Issuer(state / "tls")
    for certificate in world.all("Certificate"):
        metadata = certificate["metadata"]
        if not certificate["spec"].get("dnsNames"):
            continue
        made = issuer.current(metadata["name"], certificate["spec"]["dnsNames"])
        begins, ends = rfc3339(made.not_valid_before_utc), rfc3339(made.not_valid_after_utc)
        metadata["generation"] = 1
        certificate["status"] = {
            "conditions": [{**condition("Ready", "True", "Ready", READY, begins), "observedGeneration": 1}],
            "notBefore": begins,
            "notAfter": ends,
            "renewalTime": rfc3339(renewal_of(made)),
            "revision": 1,
        }
        approved = condition(
            "Approved", "True", "cert-manager.io", "Certificate request has been approved", begins
        )
        issued = condition("Ready", "True", "Issued", "Certificate fetched from issuer successfully", begins)
        request(world, certificate, 1, begins, [approved, issued])


def request(
    world: World, certificate: Object, revision: int, created: str, conditions: list[Object]
) -> Object:
    """An attempt to have a certificate issued."""
    metadata = certificate["metadata"]
    name = f"{metadata['name']}-{revision}"
    return world.put(
        {
            "apiVersion": certificate["apiVersion"],
            "kind": "CertificateRequest",
            "metadata": {
                "name": name,
                "namespace": metadata["namespace"],
                "uid": identity.uid("CertificateRequest", metadata["namespace"], name),
                "creationTimestamp": created,
                "annotations": {
                    "cert-manager.io/certificate-name": metadata["name"],
                    "cert-manager.io/certificate-revision": str(revision),
                },
                "ownerReferences": reference(certificate),
            },
            "spec": {"issuerRef": certificate["spec"]["issuerRef"]},
            "status": {"conditions": conditions},
        }
    )
