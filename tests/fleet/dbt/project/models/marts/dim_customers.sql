with countries as (select code, name from {{ ref('countries') }})
select
    c.customer_id,
    c.email,
    md5(c.email) as email_hash,
    c.full_name,
    countries.name as country
from {{ ref('stg_customers') }} as c
left join countries on countries.code = c.country
