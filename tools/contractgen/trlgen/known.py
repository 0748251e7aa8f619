"""Fields that mean the same everywhere: what they are, said once here. Any other
field of a public message has a comment in its contract."""

KNOWN = {
    'id': 'The id.',
    'version': 'Rises with each change; in quotes, it is the ETag.',
    'created_at': 'When it was created.',
    'updated_at': 'When it was last changed.',
    'expires_at': 'When it expires.',
    'page_size': 'The most items that a page may hold; 20 by default.',
    'page_token': 'The next_page_token of the page before.',
    'next_page_token': 'Continues the list; absent on the last page.',
    'items': 'The items of this page.',
    'slug': 'The short name in addresses; unique.',
    'name': 'The name.',
    'display_name': 'The name people see.',
    'description': 'What it is, in a sentence.',
    'email': 'An e-mail address.',
    'status': 'Its state.',
    'role': 'A built-in role.',
    'password': 'A password.',
    'token': 'A token, as it was given.',
}


def description(field):
    """The field's comment, else what is known of its name, else ''."""
    if field.place.comment:
        return field.place.comment
    if field.name in KNOWN:
        return KNOWN[field.name]
    if field.name.endswith('_id') and field.format == 'ID':
        return f'The id of the {field.name[:-3].replace("_", " ")}.'
    return ''
