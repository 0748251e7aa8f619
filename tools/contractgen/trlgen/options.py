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
        found = self.read_all(options, extension)
        return found[0] if found else None

    def read_all(self, options, extension):
        """The messages of an extension that may be repeated."""
        try:  # a file that imports no options has neither
            ext = self._pool.FindExtensionByName(extension)
        except KeyError:
            return []
        kind = self._factory.GetPrototype(
            self._pool.FindMessageTypeByName(options.DESCRIPTOR.full_name))
        again = kind()
        again.ParseFromString(options.SerializeToString())
        if ext.label == ext.LABEL_REPEATED:
            return list(again.Extensions[ext])
        return [again.Extensions[ext]] if again.HasExtension(ext) else []
