"""Reads custom options out of descriptors.

The extensions are known only from the files of the request, so the options are
parsed again by classes of a pool built from them; no generated Python is needed.
"""
from google.protobuf import descriptor_pool, message_factory


class Options:
    def __init__(self, files):
        self._pool = descriptor_pool.DescriptorPool()
        for file in files:
            self._pool.Add(file)
        self._factory = message_factory.MessageFactory(self._pool)

    def read(self, options, extension):
        """The extension's message, or None where the options do not have it."""
        try:  # a file that imports no options has neither
            ext = self._pool.FindExtensionByName(extension)
        except KeyError:
            return None
        kind = self._factory.GetPrototype(
            self._pool.FindMessageTypeByName(options.DESCRIPTOR.full_name))
        again = kind()
        again.ParseFromString(options.SerializeToString())
        return again.Extensions[ext] if again.HasExtension(ext) else None
