"""What was done to the images: licences ask to tell it, as CC BY 4.0 does in section 3(a)(1)(B)."""

from shared.archiving.order import ArchiveOrder


def changes_of(order: ArchiveOrder) -> str:
    """Sentences on what was changed, or may have been before; empty where every image is as it was found."""
    told = [f"Images were changed: {order.changes}."] if order.changes else []
    if order.parents:
        told.append(
            f"Those of {', '.join(order.parents)} may have been changed before: the cards there tell."
        )
    return " ".join(told)
