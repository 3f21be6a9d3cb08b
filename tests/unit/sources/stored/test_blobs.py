from shared.sources.stored.blobs import Blobs, BlobsConfig
from tests.unit.sources.lists.lists import read_all


async def test_stored_images_without_a_label_get_the_name_of_their_folder():
    config = BlobsConfig.model_validate(
        {
            "type": "blobs",
            "items": [{"name": "inputs/cats/1.jpg"}, {"name": "x.jpg"}, {"name": "y", "label": "dog"}],
        }
    )
    candidates, _, _ = await read_all(Blobs(config))
    assert [(c.url, c.label) for c in candidates] == [
        ("blob:inputs/cats/1.jpg", "cats"),
        ("blob:x.jpg", "unlabelled"),
        ("blob:y", "dog"),
    ]
