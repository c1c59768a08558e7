-- The people who work at SetBytes.
CREATE SCHEMA staff;
COMMENT ON SCHEMA staff IS 'Employees of SetBytes / Personnel';

CREATE TABLE staff.employees (
    employee_id integer PRIMARY KEY,
    manager_id integer REFERENCES staff.employees (employee_id),
    full_name text NOT NULL,
    work_email text NOT NULL UNIQUE,
    job_title text NOT NULL,
    office text NOT NULL,
    gender text,
    hired_on date NOT NULL
);
COMMENT ON COLUMN staff.employees.manager_id IS 'Supérieur immédiat';

CREATE TABLE staff.leave_requests (
    leave_id integer PRIMARY KEY,
    employee_id integer NOT NULL REFERENCES staff.employees (employee_id),
    kind text NOT NULL,
    starts_on date NOT NULL,
    ends_on date NOT NULL,
    ref_medicale text,
    note text
);
COMMENT ON TABLE staff.leave_requests IS 'Demandes de congé';
