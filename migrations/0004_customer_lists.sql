-- Lists of customers and the export. Living customers stand together, in the order of the list, and counting them reads
-- nothing but this index.
DROP INDEX customers_by_organization;
CREATE INDEX customers_by_organization ON customers (organization_id, deleted_at, created_at, id);
