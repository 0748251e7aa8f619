"""Reads the request of protoc, runs the outputs the parameter names."""
import sys

from google.protobuf.compiler import plugin_pb2

from .lint import lint
from .model import Contracts, Refused
from .out_catalogue import CatalogueOutput
from .out_code import CodeOutput
from .out_contract import ContractOutput
from .out_openapi import OpenapiOutput
from .out_server import ServerOutput
from .out_told import ToldOutput

OUTPUTS = {
    'code': [CodeOutput],
    'contract': [ContractOutput, ServerOutput],
    'catalogue': [CatalogueOutput, OpenapiOutput, ToldOutput],
}


def main(stdin, stdout):
    request = plugin_pb2.CodeGeneratorRequest.FromString(stdin.read())
    response = plugin_pb2.CodeGeneratorResponse()
    outputs = OUTPUTS.get(request.parameter)
    try:
        if outputs is None:
            raise Refused([f'protoc-gen-trl: no output {request.parameter!r}; '
                           f'have: {", ".join(OUTPUTS)}'])
        contracts = Contracts(request)
        if request.parameter != 'code':
            breaches = lint(contracts)
            if breaches:
                raise Refused(breaches)
        for output in outputs:
            for name, text in output(contracts).files():
                response.file.add(name=name, content=text)
    except Refused as refused:
        print('\n'.join(refused.lines), file=sys.stderr)
        response.error = f'{len(refused.lines)} error(s)'
    stdout.write(response.SerializeToString())
    return 0
