{{ config(materialized='incremental', unique_key='order_id') }}
select o.order_id, c.email, o.total, o.ordered_at
from {{ ref('stg_orders') }} as o
join {{ ref('dim_customers') }} as c using (customer_id)
{% if is_incremental() %}
where o.ordered_at > (select max(ordered_at) from {{ this }})
{% endif %}
