"""Shards of records: images with their labels in TFRecord files, read at any place."""

from keras_convnets.data.records.opening import open_records
from keras_convnets.data.records.reading import RecordReader
from keras_convnets.data.records.split import RecordsIndex, RecordSplit
from keras_convnets.data.records.writing import write

__all__ = [
    "RecordReader",
    "RecordSplit",
    "RecordsIndex",
    "open_records",
    "write",
]
