"""The commented starting file that `rto init` writes."""

STARTING_FILE = """\
# One drill, defined before it begins. Lines that start with # are optional until you need them.
# Everything except schema_version, id, flow and objectives.rto_seconds may be left out; what is left out is judged
# inconclusive or not_applicable, never pass. `rto check .` reads this file, `rto schema` prints its JSON Schema.
schema_version: 1
id: {id}                      # [a-z0-9._-]+, unique in your library of drills
title: {id}
platform: {{name: kafka-three-az, pattern: single-cluster}}   # single-cluster | active-passive | active-active | shared-storage

clusters:                     # these names are used in every evidence table
  primary: {{bootstrap_servers: "127.0.0.1:9092"}}
  # secured: {{bootstrap_servers: "127.0.0.1:9093", settings: {{security.protocol: SASL_SSL, sasl.mechanism: PLAIN, sasl.username: drill, sasl.password: "${{PASSWORD}}"}}}}
  # recovery: {{bootstrap_servers: "127.0.0.1:9192", topic_names: {{payments: [payments, primary.payments]}}}}

flow:
  name: payments
  owner: payments-platform
  topics:
    - {{name: payments, owner: payments-platform, cleanup_policy: delete}}   # delete | compact | compact,delete
  groups:
    - {{id: payments-sink, topics: [payments], owner: payments-platform}}
  downstreams:
    - name: payments-db
      group_id: payments-sink           # the group that feeds it
      match: offset                     # offset | record_id: what tells that an applied row is this record
      delivery: exactly_one             # exactly_one | at_most_one (the flow filters) | many (one record, several rows)
      owner: payments-platform

inject: {{kind: broker-kill, description: "kill -9 of broker 2", affected: [broker-2], untouched: [payments-db]}}

objectives:
  clock_starts: inject                  # the event kind that starts the clock: inject | declare | any other kind
  rto_seconds: 120
  rpo_records: 0                        # acknowledged records that may be missing from the surviving log
  restored_when:                        # "service restored": all conditions true, without a break, for hold_seconds
    hold_seconds: 10
    step_seconds: 1
    conditions:
      - {{kind: lag, group_id: payments-sink, max_records: 100}}
      - {{kind: produce_errors, max_ratio: 0.01, window_seconds: 5}}
      - {{kind: applied, downstream: payments-db, min_ratio_of_baseline: 0.8, window_seconds: 5}}
      # - {{kind: under_replicated, max_partitions: 0, cluster: primary}}
      # - {{kind: connectors, connectors: [payments-jdbc]}}
      # - {{kind: event, event: application_ok}}

criteria:                               # tolerances, inclusive; a line you delete is reported but not judged
  max_duplicated_records: 0
  max_skipped_records: 0
  max_lost_records: 0
  max_reordered_records: 0
  max_failed_produces: 0
  max_final_lag_records: 100
  max_peak_lag_records: 100000
  max_drain_seconds: 300

runbook:                                # minute zero is the clock start
  - {{step: declare, at_minute: 0, actor: incident commander, action: "declare the scenario", event: declare, tolerance_seconds: 60}}
  - {{step: switch, at_minute: 5, actor: platform on-call, action: "switch bootstrap endpoint", event: switch, tolerance_seconds: 120}}

governance:
  - {{item: IAM review of the recovery side, required: true, evidence: attachments/iam-review.md, owner: security}}

rollback:
  authority: incident commander
  procedure: attachments/rollback.md
  # rehearsed: true                     # say it once it was
  irreversible: []
  # manual_reconciliation: [ledger-export]
  # sign_offs: [{{role: application owner, at: 2026-01-31T10:40:00Z}}]

# collect:                              # what `rto collect` captures beside the clusters; secrets only as ${{NAME}}
#   downstreams:
#     payments-db: {{database: "postgresql://drill:${{PASSWORD}}@db/payments", table: payments, order: id, columns: {{applied_at: applied_at}}}}

# costs:
#   - {{item: standby cluster, monthly: 4200, currency: USD}}
"""
"""Format with `id`."""
