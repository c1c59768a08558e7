select email, sum(total) as spent, count(*) as orders
from {{ ref('fct_orders') }}
group by email
