select id as order_id, customer_id, total, ordered_at
from {{ source('app', 'orders') }}
