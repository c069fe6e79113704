/**
 * What series of common servers and exporters mean, as data: a role each, so that rules speak of "used against allowed" and never of a name. One line each: a
 * pattern of the name (`*` for anything, also of `name{label=value}`; the first line that fits counts), its role, and what runs out where it is saturation.
 * People add lines of their own, which come first.
 */
export const metricRoles = [
  /** 1 while the target is there; below it is absent, at once. */
  'availability',
  /** How much of something limited is used. */
  'saturation',
  'errors',
  'latency',
  /** Work that waits; whoever does not answer makes others wait. */
  'queue',
  'traffic',
  /** A limit, a setting, a size: what others are held against, and no sign by itself. */
  'capacity',
  /** Build, start, creation, inner details: nothing that is judged. */
  'none',
] as const
export type MetricRole = (typeof metricRoles)[number]
export const saturations = ['cpu', 'memory', 'disk', 'network', 'pool'] as const
export type Saturation = (typeof saturations)[number]
export interface MetricKnowledge {
  readonly role: MetricRole
  /** What runs out; of saturation and queues. */
  readonly of?: Saturation
}

const SHIPPED = `
# no signal: creation, builds, settings, the scraper's and the runtime's inner life
*_created                                none
*_info                                   none
*build_info*                             none
scrape_*                                 none
*exporter_*                              none
promhttp_*                               none
prometheus_*                             none
*_scrape_*                               none
*_scrapes_total                          none
*start_time_seconds                      none
*uptime*                                 none
*_timestamp_seconds                      none
*last_reload*                            none
go_gc_*                                  none
go_memstats_*                            none
go_sched_*                               none
go_threads                               none
go_goroutines                            saturation pool
process_open_fds                         saturation pool
process_max_fds                          capacity
process_cpu_seconds_total                saturation cpu
process_resident_memory_bytes            saturation memory
process_virtual_memory_*                 none
python_gc_*                              none
nodejs_eventloop_lag_p99_seconds         saturation cpu
nodejs_eventloop_lag_*                   none
nodejs_gc_*                              none
nodejs_heap_*                            none
jvm_threads_deadlocked*                  saturation pool
jvm_threads_*                            none
jvm_memory_*used_bytes*                  saturation memory
jvm_memory_*                             none
jvm_gc_pause_seconds*                    saturation memory
jvm_gc_*                                 none
jvm_classes_*                            none
hikaricp_connections_pending             queue pool
hikaricp_connections_timeout_total       errors
hikaricp_connections_max                 capacity
# availability
up                                       availability
*_up                                     availability
probe_success                            availability
redis_master_link_up                     availability
mysql_slave_status_slave_*_running       availability
# blackbox
probe_duration_seconds                   latency
probe_http_duration_seconds*             none
probe_ssl_earliest_cert_expiry           capacity
probe_*                                  none
# PostgreSQL
pg_stat_activity_count*idle*             none
pg_stat_activity_count*                  saturation pool
pg_stat_activity_max_tx_duration*        latency
pg_settings_*                            none
pg_stat_database_deadlocks               errors
pg_stat_database_conflicts*              errors
pg_stat_database_xact_rollback           errors
pg_stat_database_xact_commit             traffic
pg_stat_database_numbackends             saturation pool
pg_stat_database_temp_bytes              saturation disk
pg_stat_database_*                       none
pg_locks_count*accessexclusivelock*      saturation pool
pg_locks_count*                          none
pg_replication_lag*                      latency
pg_database_size_bytes*                  none
pg_stat_bgwriter_*                       none
pg_stat_user_tables_*                    none
pg_statio_*                              none
pg_stat_archiver_failed_count            errors
pg_*                                     none
pgbouncer_pools_client_waiting*          queue pool
pgbouncer_pools_server_active*           saturation pool
pgbouncer_databases_max_connections      capacity
# MySQL
mysql_global_status_threads_connected    saturation pool
mysql_global_status_threads_running      saturation cpu
mysql_global_status_aborted_*            errors
mysql_global_status_connection_errors_total* errors
mysql_global_status_slow_queries         latency
mysql_global_status_innodb_row_lock_current_waits queue pool
mysql_global_status_questions            traffic
mysql_slave_status_seconds_behind_master latency
mysql_global_variables_max_connections   capacity
mysql_global_variables_*                 none
mysql_info_schema_*                      none
mysql_global_status_*                    none
# Redis
redis_connected_clients                  saturation pool
redis_blocked_clients                    queue pool
redis_config_*                           capacity
redis_rejected_connections_total         errors
redis_errors_total*                      errors
redis_commands_rejected_calls_total*     errors
redis_commands_failed_calls_total*       errors
redis_evicted_keys_total                 saturation memory
redis_memory_used_bytes                  saturation memory
redis_memory_max_bytes                   capacity
redis_commands_processed_total           traffic
redis_rdb_last_bgsave_status             availability
redis_aof_last_write_status              availability
redis_*                                  none
# RabbitMQ, Kafka
rabbitmq_queue_messages_ready            queue pool
rabbitmq_queue_messages                  queue pool
rabbitmq_alarms_*                        errors
rabbitmq_connections                     saturation pool
rabbitmq_process_resident_memory_bytes   saturation memory
rabbitmq_resident_memory_limit_bytes     capacity
rabbitmq_disk_space_available_*          none
rabbitmq_*published_total                traffic
rabbitmq_*                               none
kafka_consumergroup_lag*                 queue pool
kafka_*_lag                              queue pool
kafka_server_replicamanager_underreplicatedpartitions* errors
kafka_controller_*offlinepartitions*     errors
kafka_brokers                            none
kafka_topic_*                            none
# nginx, HAProxy, Envoy, Traefik, PHP-FPM, Apache
nginx_connections_waiting                none
nginx_connections_active                 queue pool
nginx_connections_*                      none
nginx_http_requests_total                traffic
nginx_*                                  none
haproxy_*_http_responses_total*code=5*   errors
haproxy_*_http_responses_total*          traffic
haproxy_*_current_queue                  queue pool
haproxy_*_queue_time_average_seconds*    queue pool
haproxy_backend_response_time_average_seconds* latency
haproxy_backend_total_time_average_seconds* latency
haproxy_backend_active_servers           none
haproxy_backend_*connection_errors_total errors
haproxy_backend_response_errors_total    errors
haproxy_backend_http_requests_total      traffic
haproxy_frontend_http_requests_total     traffic
haproxy_process_current_connections      queue pool
haproxy_process_max_*                    capacity
haproxy_*                                none
envoy_cluster_upstream_rq_pending_active queue pool
envoy_cluster_upstream_rq_pending_overflow* errors
envoy_cluster_upstream_rq_timeout*       errors
envoy_cluster_upstream_cx_connect_fail*  errors
envoy_cluster_upstream_rq_*5*            errors
envoy_cluster_upstream_rq_total          traffic
envoy_*                                  none
phpfpm_listen_queue                      queue pool
phpfpm_active_processes                  saturation pool
phpfpm_max_children_reached*             errors
phpfpm_slow_requests*                    latency
phpfpm_total_processes                   capacity
phpfpm_accepted_connections*             traffic
phpfpm_*                                 none
apache_workers*busy*                     saturation pool
apache_accesses_total                    traffic
# machines
node_cpu_seconds_total*mode=idle*        none
node_cpu_seconds_total*mode=nice*        none
node_cpu_seconds_total*irq*              none
node_cpu_seconds_total*mode=iowait*      saturation disk
node_cpu_seconds_total*                  saturation cpu
node_load1                               saturation cpu
node_pressure_cpu_waiting_seconds_total  saturation cpu
node_pressure_memory_*_seconds_total     saturation memory
node_pressure_io_*_seconds_total         saturation disk
node_procs_blocked                       saturation disk
node_filesystem_readonly*                errors
node_filesystem_device_error*            errors
node_vmstat_oom_kill                     errors
node_disk_io_time_seconds_total*         saturation disk
node_disk_io_time_weighted_seconds_total* none
node_netstat_tcp_retranssegs             none
node_netstat_tcpext_listenoverflows      errors
node_*                                   none
windows_*                                none
container_cpu_cfs_throttled_seconds_total saturation cpu
container_cpu_cfs_*                      none
container_cpu_usage_seconds_total        saturation cpu
container_memory_working_set_bytes       saturation memory
container_memory_failcnt                 errors
container_oom_events_total               errors
container_memory_*                       none
container_spec_*                         capacity
container_fs_*                           none
container_*                              none
kube_pod_container_status_restarts_total errors
kube_deployment_status_replicas_unavailable errors
kube_pod_container_status_waiting_reason* errors
kube_node_status_condition*              none
kube_*                                   none
`

type Line = readonly [pattern: RegExp, knowledge: MetricKnowledge]
/** @throws on a line that is none, with its number. */
export const readMetricKnowledge = (text: string): Line[] =>
  text.split('\n').flatMap((line, i): Line[] => {
    const words = line.replace(/#.*/, '').trim().split(/\s+/)
    if (words[0] === '') return []
    const [pattern, role, of] = words
    if (!(metricRoles as readonly string[]).includes(role))
      throw new Error(`line ${i + 1}: "${role ?? ''}" is no role; known are ${metricRoles.join(', ')}`)
    if (of !== undefined && !(saturations as readonly string[]).includes(of))
      throw new Error(`line ${i + 1}: "${of}" is nothing that runs out; known are ${saturations.join(', ')}`)
    const expression = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')
    return [[new RegExp(`^${expression}$`, 'i'), { role: role as MetricRole, ...(of && { of: of as Saturation }) }]]
  })

let lines = readMetricKnowledge(SHIPPED)
const known = new Map<string, MetricKnowledge | undefined>()
const MOST = 50_000

/** Lines that come before those that are known already. */
export const addMetricKnowledge = (text: string): void => {
  lines = [...readMetricKnowledge(text), ...lines]
  known.clear()
}
/** What is known of a series by its name with its dimensions (`name{a=b,c=d}`); undefined where nothing is. */
export const metricKnowledge = (metric: string): MetricKnowledge | undefined => {
  if (known.has(metric)) return known.get(metric)
  const name = metric.split('{')[0]
  const found = lines.find(([pattern]) => pattern.test(name) || (name !== metric && pattern.test(metric)))?.[1]
  if (known.size >= MOST) known.clear()
  known.set(metric, found)
  return found
}
