"""What lies in the security scanner's pod: the command that the operators' guide runs there, /opt/scan-results.sh.

It prints a result of trivy whose scan ended two hours ago, whenever it is asked.
"""

import json
from pathlib import Path

from tests.sandbox.settings import Settings

COMMAND, RESULT = "scan-results.sh", "scan-results.json"
SCANNED_AGO = "2 hours ago"
HEALTHY = {
    "SchemaVersion": 2,
    "CreatedAt": "@SCANNED@",
    "ArtifactName": "registry.example.com/doc-rag/api:1.14.2",
    "ArtifactType": "container_image",
    "Results": [
        {
            "Target": "registry.example.com/doc-rag/api:1.14.2 (debian 12.9)",
            "Class": "os-pkgs",
            "Type": "debian",
            "Vulnerabilities": [
                {
                    "VulnerabilityID": "CVE-2023-45853",
                    "PkgName": "zlib1g",
                    "InstalledVersion": "1:1.2.13.dfsg-1",
                    "Status": "will_not_fix",
                    "Severity": "CRITICAL",
                },
                {
                    "VulnerabilityID": "CVE-2024-26462",
                    "PkgName": "libkrb5-3",
                    "InstalledVersion": "1.20.1-2+deb12u2",
                    "Status": "affected",
                    "Severity": "MEDIUM",
                },
            ],
        }
    ],
}


def start(settings: Settings) -> None:
    write(settings)


def stop(settings: Settings) -> bool:
    return False


def write(settings: Settings, *, scanned: str = SCANNED_AGO, prints: str = "") -> None:
    """Put the command into every pod of the scanner; `prints`: what it says instead of a result."""
    for place in pod_folders(settings):
        place.mkdir(parents=True, exist_ok=True)
        (place / RESULT).write_text(prints or json.dumps(HEALTHY))
        command = place / COMMAND
        moment = f"$(date -u -d '{scanned}' +%Y-%m-%dT%H:%M:%SZ)"
        command.write_text(f'#!/bin/sh\nexec sed "s/@SCANNED@/{moment}/" /opt/{RESULT}\n')
        command.chmod(0o755)


def pod_folders(settings: Settings) -> list[Path]:
    """/opt of the scanner's pods."""
    pods = settings.pods_dir.glob("doc-rag-security/security-scanner-*")
    return sorted(pod / "rootfs" / "opt" for pod in pods)
