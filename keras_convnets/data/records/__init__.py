"""Shards of records: images with their labels in TFRecord files, read at any place."""
