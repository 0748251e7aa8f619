"""Words as C wants them."""
import re


def c_string(text):
    """A C string literal."""
    out = []
    for byte in text.encode():
        char = chr(byte)
        if char in '"\\':
            out.append('\\' + char)
        elif char == '\n':
            out.append('\\n')
        elif 32 <= byte < 127:
            out.append(char)
        else:
            out.append(f'\\{byte:03o}')
    return '"' + ''.join(out).replace('??', '?\\?') + '"'


def stem(path):
    """What is made of a contract is called by this: tenants_v1 of
    trellis/tenants/v1/tenants.proto; of what is no contract, its path."""
    path = path.removesuffix('.proto')
    found = re.fullmatch(r'(?:\w+/)*(\w+)/(v\d+)/\1', path)
    return f'{found[1]}_{found[2]}' if found else path


def snake(name):
    """CreateTenant -> create_tenant, as protoc-c does it."""
    return re.sub(r'(?<=[^A-Z_])(?=[A-Z])', '_', name).lower()


def camel(name):
    """A part of a name as protoc-c's types have it: tenants -> Tenants."""
    out, upper = '', True
    for char in name:
        if char == '_':
            upper = True
            continue
        out += char.upper() if upper else char
        upper = False
    return out
