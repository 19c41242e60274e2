"""What every command is: an order from a person, a button or a rule, as it comes in at the control socket."""

import msgspec


class Command(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", forbid_unknown_fields=True):
    """An order, `do` names its kind. The actor is not in it: core knows who holds the token."""
