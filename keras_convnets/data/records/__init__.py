"""Shards of records: images with their labels in TFRecord files, read at any place."""

from keras_convnets.data.records.opening import open_records
from keras_convnets.data.records.reading import RecordReader, find_faults
from keras_convnets.data.records.scanning import RecordFault
from keras_convnets.data.records.split import RecordsIndex, RecordSplit
from keras_convnets.data.records.writing import write

__all__ = [
    "RecordFault",
    "RecordReader",
    "RecordSplit",
    "RecordsIndex",
    "find_faults",
    "open_records",
    "write",
]
