select current_setting('trellis.tenant_id', true) as text
