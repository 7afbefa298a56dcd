"""What to do about an error, in one sentence."""

from __future__ import annotations

import pytest

from shared.doctor.remedies import entra_remedy, remedy
from shared.errors import AccessDenied, PhotoSyncError, ServiceDown, Throttled, Unanswered


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (Throttled("429"), "Wait a few minutes"),
        (ServiceDown("500"), "can reach Graph: name resolution"),
        (Unanswered("nothing"), "firewall"),
        (AccessDenied("403"), "Grant it."),
    ],
)
def test_remedy(error: PhotoSyncError, advice: str):
    """The kind of error decides if possible, otherwise the check."""
    assert advice in remedy(error, "Grant it.", what="Graph")


@pytest.mark.parametrize(
    ("sentence", "advice"),
    [
        ("AADSTS90002: Tenant not found.", "TENANT_ID"),
        ("AADSTS700016: Application not found.", "CLIENT_ID"),
        ("AADSTS700027: The key used is expired.", "CLIENT_CERTIFICATE"),
        ("AADSTS500011: No such resource.", "Check the host."),
        ("AADSTS50105: Something else.", "Look up AADSTS50105"),
        ("Entra does not know this tenant.", "Check TENANT_ID"),
    ],
)
def test_entra(sentence: str, advice: str):
    """Entra's error code decides which setting to fix; an unknown code is quoted."""
    assert advice in entra_remedy(AccessDenied(sentence), "Check the host.")


def test_entra_down():
    """If Entra cannot be reached, settings are not blamed."""
    assert "can reach Entra" in entra_remedy(ServiceDown("Entra could not be reached."), "x")
