-- Whom invoices are made out to. The account's version guards it.
insert into profile (tenant_id, version, legal_name, address_line1, address_line2,
    postal_code, city, region, country, vat_id, tax_id, email, locale, time_zone, currency,
    exempt_reason, updated_at)
values (:tenant_id, :version, :legal_name, :address_line1, :address_line2, :postal_code,
    :city, :region, :country, :vat_id, :tax_id, :email, :locale, :time_zone, :currency,
    :exempt_reason, :updated_at)
on conflict (tenant_id) do update set version = excluded.version,
    legal_name = excluded.legal_name, address_line1 = excluded.address_line1,
    address_line2 = excluded.address_line2, postal_code = excluded.postal_code,
    city = excluded.city, region = excluded.region, country = excluded.country,
    vat_id = excluded.vat_id, tax_id = excluded.tax_id, email = excluded.email,
    locale = excluded.locale, time_zone = excluded.time_zone,
    currency = excluded.currency, updated_at = excluded.updated_at
