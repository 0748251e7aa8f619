"""Reads the request of protoc, runs the output the parameter names."""
import sys

from google.protobuf.compiler import plugin_pb2

from .model import Contracts, Refused
from .out_code import CodeOutput

OUTPUTS = {
    'code': CodeOutput,
}


def main(stdin, stdout):
    request = plugin_pb2.CodeGeneratorRequest.FromString(stdin.read())
    response = plugin_pb2.CodeGeneratorResponse()
    try:
        output = OUTPUTS[request.parameter.split(',')[0]]
        contracts = Contracts(request)
        for name, text in output(contracts).files():
            response.file.add(name=name, content=text)
    except KeyError:
        response.error = f'no output {request.parameter!r}; have: {", ".join(OUTPUTS)}'
    except Refused as refused:
        print('\n'.join(refused.lines), file=sys.stderr)
        response.error = f'{len(refused.lines)} error(s) in the contract'
    stdout.write(response.SerializeToString())
    return 0
