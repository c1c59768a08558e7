select
    id as customer_id,
    lower(email) as email,
    first_name || ' ' || last_name as full_name,
    country,
    updated_at
from {{ source('app', 'customers') }}
where email <> 'nobody@example.ca'
