-- Numbers may be given anew: everybody reads again.
update event_head set epoch = epoch + 1
