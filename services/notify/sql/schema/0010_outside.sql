-- What goes to people outside an organisation, who never chose to be written to by it,
-- stands in the installation's own frame: also to somebody who was added without being
-- asked, or is one of it no more.
update kind_directory set own_words = false
where kind in ('invitation', 'member_added', 'member_removed');
