insert into template (tenant_id, kind, locale, version, gone, subject, summary, action, text,
    html, updated_at)
values (:tenant_id, :kind, :locale, :version, :gone, :subject, :summary, :action, :text, :html,
    :updated_at)
