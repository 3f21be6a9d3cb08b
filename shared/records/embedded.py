"""Holds what an image file says about itself: who made it, under which terms, how, and whether it may be mined."""

from dataclasses import dataclass, replace
from typing import Final

AI_SOURCE_TYPES: Final = frozenset(
    {
        "trainedAlgorithmicMedia",
        "compositeWithTrainedAlgorithmicMedia",
        "compositeSynthetic",
        "algorithmicMedia",
        "trainedAlgorithmicData",
    }
)
"""Digital source types of images that were made by a model or an algorithm, as a whole or in part.

Source: cv.iptc.org/newscodes/digitalsourcetype; the last one is of the C2PA specification.
"""

PROHIBITED: Final = "DMI-PROHIBITED"
"""The start of all codes of PLUS that forbid data mining, at least for some uses."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """What a file says about itself in XMP, IPTC-IIM and C2PA. A text is empty if the file says nothing.

    The texts are on one line, without invisible characters, and have at most 500 characters, addresses 2,000. Nobody
    has checked that they are true. `rights_url` is the page with the terms, and `licensor_url` that of the licensor.
    `digital_source_type` is IPTC's code for how the image was made. `data_mining` is a code of PLUS such as
    "DMI-PROHIBITED", and `data_mining_constraints` is its further text.

    `c2pa_generator` names the program that wrote the newest C2PA manifest. `c2pa_validity` is "valid" if all hashes and
    the signature of the manifests are right, or else "invalid" or "unreadable". It does not say that the signer is
    trusted. `c2pa_training` has the uses that the manifests declare, as in "c2pa.ai_training: notAllowed", separated by
    commas.
    """

    creator: str = ""
    copyright_notice: str = ""
    credit_line: str = ""
    rights_url: str = ""
    licensor_url: str = ""
    digital_source_type: str = ""
    data_mining: str = ""
    data_mining_constraints: str = ""
    c2pa_generator: str = ""
    c2pa_validity: str = ""
    c2pa_training: str = ""

    @property
    def ai_generated(self) -> bool:
        """Whether the file declares that a model or an algorithm made it, as a whole or in part."""
        return self.digital_source_type in AI_SOURCE_TYPES

    def completed(self, earlier: "Embedded") -> "Embedded":
        """Returns these texts, and the earlier ones where the file says nothing.

        A source type that means AI and a code against data mining stay, whatever the file says now.
        """
        texts = earlier.fields | self.fields
        if earlier.ai_generated:
            texts["digital_source_type"] = earlier.digital_source_type
        if earlier.data_mining.startswith(PROHIBITED):
            texts["data_mining"] = earlier.data_mining
        return replace(self, **texts)

    @property
    def fields(self) -> dict[str, str]:
        """The texts that are not empty, by name."""
        return {name: text for name in self.__slots__ if (text := getattr(self, name))}


SILENT: Final = Embedded()
"""What a file without any such metadata says."""
