-- What became of each request. The primary key makes at-least-once delivery exact: a result that comes twice is stored once.
create table results (
  id text primary key,
  tenant text not null,
  key_id text not null,
  kind text not null,
  model text not null,
  outcome text not null check (outcome in ('succeeded', 'failed')),
  text text not null,
  finish_reason text not null,
  error_class text,
  error_message text,
  input_tokens integer not null check (input_tokens >= 0),
  output_tokens integer not null check (output_tokens >= 0),
  reserved_tokens integer not null,
  reserved_window integer not null,
  queued_ms integer not null,
  first_token_ms integer,
  total_ms integer not null,
  submitted_at timestamptz not null,
  finished_at timestamptz not null,
  worker text not null,
  stored_at timestamptz not null default now(),
  check ((outcome = 'failed') = (error_class is not null))
);

-- A tenant's results, the latest first.
create index results_tenant_submitted_at on results (tenant, submitted_at desc);

grant select on results to gateway;
grant insert on results to collector;
