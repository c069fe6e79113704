{{- define "aegis.name" -}}
{{- if or .Values.nameOverride (contains "aegis" .Release.Name) -}}
{{- default .Release.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-aegis" .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "aegis.selector" -}}
app.kubernetes.io/name: aegis
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end -}}

{{- define "aegis.labels" -}}
app.kubernetes.io/name: aegis
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
app.kubernetes.io/part-of: aegis
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name (.root.Chart.Version | replace "+" "_") }}
{{- end -}}

{{/* Facts of every enabled service with its values: defaults, then what stands under services.NAME. As YAML; read with fromYaml. */}}
{{- define "aegis.services" -}}
{{- $facts := .Files.Get "files/services.generated.yaml" | fromYaml -}}
{{- range $name, $fact := $facts }}
{{- $own := index ($.Values.services | default dict) $name | default dict -}}
{{- $merged := mergeOverwrite (deepCopy $.Values.defaults) (deepCopy $own) -}}
{{- if ne (toString (dig "enabled" true $own)) "false" }}
{{ dict $name (dict "facts" $fact "values" $merged) | toYaml }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "aegis.image" -}}
{{- $v := .root.Values.image -}}
{{- $digest := index ($v.digests | default dict) .name -}}
{{- if .service.values.image }}{{ .service.values.image }}
{{- else if $digest }}{{ $v.repository }}/{{ .name }}@{{ $digest }}
{{- else }}{{ $v.repository }}/{{ .name }}:{{ default .root.Chart.AppVersion $v.tag }}{{ if .service.values.gpu }}{{ .root.Values.gpu.tagSuffix }}{{ end }}
{{- end -}}
{{- end -}}

{{/* Numbers as they were written: YAML makes floats of them, which print with an exponent. */}}
{{- define "aegis.text" -}}
{{- if not (kindIs "float64" .) }}{{ . }}{{ else if eq (floor .) . }}{{ int64 . }}{{ else }}{{ . }}{{ end -}}
{{- end -}}

{{/* Environment of a service: only what it reads. */}}
{{- define "aegis.env" -}}
{{- $facts := .service.facts -}}
{{- $settings := merge (dict) (.service.values.settings | default dict) .root.Values.settings -}}
{{- $secrets := merge (dict) (.service.values.secrets | default dict) .root.Values.secrets -}}
{{- $strimzi := .root.Values.kafka.strimzi -}}
{{- if and $strimzi.enabled $strimzi.users -}}
{{- $user := printf "%s-%s" (include "aegis.name" .root) .name -}}
{{- $settings = merge (dict "KAFKA_SASL_MECHANISM" "scram-sha-512" "KAFKA_USER" $user) $settings -}}
{{- $secrets = merge (dict "KAFKA_PASSWORD" (dict "name" $user "key" "password")) $secrets -}}
{{- end -}}
- { name: AEGIS_HOST, value: 0.0.0.0 }
- { name: AEGIS_PORT, value: {{ $facts.port | quote }} }
{{- if .service.values.authoritySecret }}
- { name: AEGIS_AUTHORITY_FOLDER, value: /etc/aegis/authority }
{{- end }}
{{- range $env := $facts.settings }}
{{- $value := index $settings $env }}
{{- if not (kindIs "invalid" $value) }}
- { name: {{ $env }}, value: {{ include "aegis.text" $value | quote }} }
{{- end }}
{{- end }}
{{- range $env := $facts.secrets }}
{{- with index $secrets $env }}
- name: {{ $env }}
  valueFrom: { secretKeyRef: { name: {{ .name }}, key: {{ .key }} } }
{{- end }}
{{- end }}
{{- end -}}

{{- define "aegis.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{- define "aegis.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1001
runAsGroup: 1001
fsGroup: 1001
seccompProfile: { type: RuntimeDefault }
{{- end -}}
