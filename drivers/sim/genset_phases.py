"""What a controller measures on its three phases of a simulated plant, before it puts it in its registers."""

from drivers.sim.plant_genset import Genset

PHASE_SHARES = (0.46, 0.29, 0.25)  # the UPS hangs on L1
PHASE_TRIM = (1.0, 1.003, 0.998)  # no three phases read the same
POWER_FACTOR = 0.9
LINE_TO_LINE = 3**0.5

Three = tuple[float, float, float]


def generator_volts(genset: Genset) -> Three:
    """Phase to neutral."""
    return _trimmed(genset.volts)


def mains_volts(genset: Genset) -> Three:
    """Phase to neutral."""
    return _trimmed(genset.mains_v)


def mains_hertz(genset: Genset) -> float:
    return 50.0 if genset.mains_v else 0.0


def watts(genset: Genset) -> Three:
    a, b, c = (genset.load_w * share for share in PHASE_SHARES)
    return a, b, c


def amperes(genset: Genset) -> Three:
    if not genset.volts:
        return 0.0, 0.0, 0.0
    a, b, c = (phase / POWER_FACTOR / genset.volts for phase in watts(genset))
    return a, b, c


def oil_kpa(genset: Genset) -> float:
    return 420.0 if genset.rpm > 1000 else 0.0


def _trimmed(volts: float) -> Three:
    a, b, c = (volts * trim for trim in PHASE_TRIM)
    return a, b, c
