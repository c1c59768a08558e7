"""What an S3 source may say of itself."""

from __future__ import annotations

import pytest

from scanners.buckets.s3 import S3Scanner, S3Settings


def settings(**more: object) -> S3Settings:
    return S3Settings.model_validate({"name": "lake", "type": "s3", "bucket": "lake", **more})


@pytest.mark.parametrize(
    "more, cause",
    [
        ({"endpoint": "http://minio:9000"}, "allow_http"),
        ({"endpoint": "minio:9000"}, "is an address"),
        ({"endpoint": "https://key:canary@minio:9000"}, "holds no credentials"),
        ({"access_key_id": {"env": "KEY"}}, "go together"),
        ({"access_key_id": "canary", "secret_access_key": "canary"}, "access_key_id"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_a_mistake_is_refused(more: dict[str, object], cause: str):
    with pytest.raises(ValueError, match=cause):
        settings(**more)


@pytest.mark.parametrize(
    "more, region",
    [
        ({}, "US-VA"),
        ({"region_name": "ca-central-1"}, "CA-QC"),
        ({"region_name": "ca-central-1", "region": "CA"}, "CA"),
        ({"endpoint": "https://minio.example:9000"}, ""),
    ],
)
def test_where_it_is(more: dict[str, object], region: str):
    assert S3Scanner(settings(**more)).region == region


def test_the_regions_are_in_the_vocabulary():
    from inventory.vocabulary import regions
    from scanners.buckets import s3

    assert [key for key in vars(s3)["_COUNTRIES"].values() if key not in regions()] == []


@pytest.mark.parametrize(
    "prefix, folders",
    [("a/", ("a",)), (["a/b/", "a", "ab"], ("a", "ab")), (["", "a"], ("",)), ([], ()), (["a", "a/"], ("a",))],
)
def test_no_folder_is_listed_twice(prefix: object, folders: tuple[str, ...]):
    assert settings(prefix=prefix).prefix == folders


def test_the_namespace_is_that_of_openlineage_unless_another_is_given():
    assert S3Scanner(settings()).system == "s3://lake"
    assert S3Scanner(settings(namespace="s3://other")).system == "s3://other"
    assert S3Scanner(settings(prefix="a/")).folders == ("a",)
