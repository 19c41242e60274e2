"""What would carry a voice now, as far as a modem says: registered is not yet a telephone."""

from typing import Literal

from drivers.modem.answers import Registration

Bearer = Literal["unknown", "none", "sms_only", "2g", "volte"]

SMS_ONLY = (6, 7)  # 3GPP TS 27.007 clause 7.2: registered for short messages, at home and roaming


def verdict(
    circuit: Registration | None, packet: tuple[Registration | None, ...], technology: str, ims: bool | None
) -> Bearer:
    """`circuit` is +CREG, `packet` +CGREG and +CEREG; `ims` whether voice over LTE is up, None when not said.

    "2g" stands for any circuit-switched call. On LTE without IMS a fallback may exist, but nothing says so: sms_only.
    """
    known = [registration for registration in (circuit, *packet) if registration is not None]
    if not known:
        return "unknown"
    if not any(r.registered or r.state in SMS_ONLY for r in known):
        return "none"
    if technology in ("4g", "5g") and ims is not None:
        return "volte" if ims else "sms_only"
    if circuit is not None and circuit.state in SMS_ONLY:
        return "sms_only"
    if technology in ("2g", "3g") and circuit is not None and circuit.registered:
        return "2g"
    return "unknown"
