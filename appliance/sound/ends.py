"""The end of a bridge that a line or a headset of the site file means."""

from appliance.audio_protocol import EndKind, Serial, Usb
from appliance.config_sound import Headset, SerialSound, UsbSound


def kind_of(sound: SerialSound | UsbSound | Headset) -> EndKind:
    """The end that a line of the site file means."""
    if isinstance(sound, SerialSound):
        return Serial(sound.port, sound.rate)
    return Usb(sound.device, sound.rate, sound.output)
