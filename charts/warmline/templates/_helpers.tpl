{{- define "warmline.name" -}}
{{- if contains "warmline" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-warmline" .Release.Name | trunc 50 | trimSuffix "-" }}{{ end -}}
{{- end }}
{{- define "warmline.selector" -}}
app.kubernetes.io/name: warmline
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
{{- define "warmline.labels" -}}
{{ include "warmline.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}
{{- define "warmline.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ default (include "warmline.name" .) .Values.serviceAccount.name }}{{ else }}{{ default "default" .Values.serviceAccount.name }}{{ end -}}
{{- end }}
{{- define "warmline.image" -}}
{{- if .Values.image.digest }}{{ .Values.image.repository }}@{{ .Values.image.digest }}{{ else }}{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}{{ end -}}
{{- end }}
{{- define "warmline.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}
{{- define "warmline.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}
{{- define "warmline.storeEnv" -}}
- {name: WARMLINE_DATA_DIR, value: /var/lib/warmline}
{{- if eq .Values.profile "cluster" }}
- {name: WARMLINE_POSTGRES, value: {{ .Values.postgres.connection | quote }}}
{{- with .Values.postgres.passwordSecret }}
{{- if .name }}
- name: PGPASSWORD
  valueFrom: {secretKeyRef: {name: {{ .name }}, key: {{ .key }}}}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- define "warmline.probe" -}}
{{- $values := (index . 0).Values -}}
{path: {{ index . 1 }}, port: operations{{ if $values.operations.tls }}, scheme: HTTPS{{ end }}}
{{- end }}
{{- /* Whether Warmline itself speaks TLS: with a front, only for the operations port. */ -}}
{{- define "warmline.serverTls" -}}
{{- if and .Values.tls.secret (or (not .Values.front.enabled) .Values.operations.tls) }}yes{{ end }}
{{- end }}
{{- define "warmline.frontImage" -}}
{{- with .Values.front.image }}{{ if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag }}{{ end }}{{ end }}
{{- end }}
{{- /* The proxy before the API's port, in the same pod: docs/adr/0016. */ -}}
{{- define "warmline.front" -}}
- name: front
  image: {{ include "warmline.frontImage" . | quote }}
  imagePullPolicy: {{ .Values.front.image.pullPolicy }}
  command: [haproxy]
  args: [-f, /etc/warmline/front/haproxy.cfg]
  env:
    - {name: WARMLINE_FRONT_LISTEN, value: "0.0.0.0:{{ .Values.service.grpcPort }}"}
    - {name: WARMLINE_FRONT_SERVER, value: "127.0.0.1:{{ .Values.front.serverPort }}"}
    - {name: WARMLINE_FRONT_STATUS_LISTEN, value: "0.0.0.0:{{ .Values.front.statusPort }}"}
    - {name: WARMLINE_FRONT_THREADS, value: {{ int .Values.front.threads | quote }}}
    - {name: WARMLINE_FRONT_MAX_CONNECTIONS, value: {{ int .Values.front.maxConnections | quote }}}
    - {name: WARMLINE_FRONT_MAX_CONNECTIONS_PER_ADDRESS, value: {{ int .Values.front.maxConnectionsPerAddress | quote }}}
    - {name: WARMLINE_FRONT_MAX_CALLS, value: {{ int .Values.front.maxCalls | quote }}}
    - {name: WARMLINE_FRONT_MAX_CALLS_PER_ADDRESS, value: {{ int .Values.front.maxCallsPerAddress | quote }}}
    - {name: WARMLINE_FRONT_IDLE_STREAM, value: {{ .Values.front.idleStream | quote }}}
    - {name: WARMLINE_FRONT_IDLE_CLIENT, value: {{ .Values.front.idleClient | quote }}}
    - {name: WARMLINE_FRONT_HARD_STOP, value: "{{ int .Values.drain.timeout }}ms"}
    {{- if .Values.tls.secret }}
    - {name: WARMLINE_FRONT_TLS_CERT_FILE, value: /etc/warmline/tls/tls.crt}
    - {name: WARMLINE_FRONT_RUN_DIR, value: /run/warmline-front}
    - {name: WARMLINE_FRONT_LUA, value: /etc/warmline/front/certificates.lua}
    {{- if .Values.tls.clientCaKey }}
    - {name: WARMLINE_FRONT_TLS_CLIENT_CA_FILE, value: {{ printf "/etc/warmline/tls/%s" .Values.tls.clientCaKey | quote }}}
    {{- end }}
    {{- if .Values.operations.tls }}
    - {name: WARMLINE_FRONT_SERVER_TLS, value: "true"}
    {{- end }}
    {{- end }}
  ports:
    - {name: grpc, containerPort: {{ .Values.service.grpcPort }}}
    - {name: front-status, containerPort: {{ .Values.front.statusPort }}}
  startupProbe: {httpGet: {path: /livez, port: front-status}, periodSeconds: 1, failureThreshold: 60}
  livenessProbe: {httpGet: {path: /livez, port: front-status}, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6}
  readinessProbe: {httpGet: {path: /livez, port: front-status}, periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 2}
  # It stays as long as Warmline still answers calls that come; the image's stop signal, SIGUSR1, lets calls under way end.
  lifecycle: {preStop: {exec: {command: [sleep, {{ div (add (int .Values.drain.delay) 999) 1000 | quote }}]}}}
  securityContext: {{- include "warmline.containerSecurity" . | nindent 4 }}
  resources: {{- toYaml .Values.front.resources | nindent 4 }}
  volumeMounts:
    - {name: front, mountPath: /etc/warmline/front, readOnly: true}
    {{- if .Values.tls.secret }}
    - {name: tls, mountPath: /etc/warmline/tls, readOnly: true}
    - {name: front-run, mountPath: /run/warmline-front}
    {{- end }}
{{- end }}
{{- define "warmline.pod" -}}
metadata:
  labels:
    {{- include "warmline.labels" . | nindent 4 }}
    {{- with .Values.podLabels }}{{ toYaml . | nindent 4 }}{{ end }}
  {{- if or .Values.podAnnotations .Values.front.enabled }}
  annotations:
    {{- with .Values.podAnnotations }}{{ toYaml . | nindent 4 }}{{ end }}
    {{- if .Values.front.enabled }}
    # The front reads its configuration once: a change of it is a rollout.
    checksum/front: {{ print (.Files.Get "files/haproxy.cfg") (.Files.Get "files/certificates.lua") | sha256sum }}
    {{- end }}
  {{- end }}
spec:
  serviceAccountName: {{ include "warmline.serviceAccount" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  # Longer than the drain.
  terminationGracePeriodSeconds: {{ add (div (add (int .Values.drain.delay) (int .Values.drain.timeout) 999) 1000) 10 }}
  securityContext: {{- include "warmline.podSecurity" . | nindent 4 }}
  {{- with .Values.image.pullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  containers:
    - name: warmline
      image: {{ include "warmline.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args: [serve]
      env:
        {{- include "warmline.storeEnv" . | nindent 8 }}
        {{- if .Values.front.enabled }}
        # The front beside it is the only one who calls here.
        - {name: WARMLINE_LISTEN, value: "127.0.0.1:{{ .Values.front.serverPort }}"}
        {{- else }}
        - {name: WARMLINE_LISTEN, value: "0.0.0.0:{{ .Values.service.grpcPort }}"}
        {{- end }}
        - {name: WARMLINE_OPS_LISTEN, value: "0.0.0.0:{{ .Values.service.operationsPort }}"}
        {{- if .Values.tokens.secret }}
        - {name: WARMLINE_TOKENS_FILE, value: {{ printf "/etc/warmline/tokens/%s" .Values.tokens.key | quote }}}
        {{- else if not .Values.jwt.issuer }}
        {{- fail "tokens.secret and jwt.issuer are both empty: nobody could call; give one of them" }}
        {{- end }}
        {{- if .Values.jwt.issuer }}
        - {name: WARMLINE_JWT_ISSUER, value: {{ .Values.jwt.issuer | quote }}}
        - {name: WARMLINE_JWT_AUDIENCE, value: {{ required "jwt.audience is missing beside jwt.issuer" .Values.jwt.audience | quote }}}
        - {name: WARMLINE_JWT_CLAIM, value: {{ .Values.jwt.claim | quote }}}
        - {name: WARMLINE_JWT_JWKS_FILE, value: {{ printf "/etc/warmline/jwks/%s" .Values.jwt.keys.key | quote }}}
        {{- end }}
        {{- if .Values.audit.enabled }}
        - {name: WARMLINE_AUDIT_FILE, value: "-"}
        {{- if .Values.audit.secret.name }}
        - {name: WARMLINE_AUDIT_KEY_FILE, value: {{ printf "/etc/warmline/audit/%s" .Values.audit.secret.key | quote }}}
        {{- end }}
        {{- end }}
        {{- if not .Values.operations.console }}
        - {name: WARMLINE_NO_CONSOLE, value: "true"}
        {{- end }}
        {{- if .Values.operations.tls }}
        {{- if not .Values.tls.secret }}{{ fail "tls.secret is missing beside operations.tls" }}{{ end }}
        - {name: WARMLINE_OPS_TLS, value: "true"}
        {{- end }}
        - {name: WARMLINE_DRAIN_DELAY_MS, value: {{ int .Values.drain.delay | quote }}}
        - {name: WARMLINE_DRAIN_TIMEOUT_MS, value: {{ int .Values.drain.timeout | quote }}}
        - {name: WARMLINE_LOG_LEVEL, value: {{ .Values.logLevel }}}
        {{- if include "warmline.serverTls" . }}
        - {name: WARMLINE_TLS_CERT_FILE, value: /etc/warmline/tls/tls.crt}
        - {name: WARMLINE_TLS_KEY_FILE, value: /etc/warmline/tls/tls.key}
        {{- if and .Values.tls.clientCaKey (not .Values.front.enabled) }}
        - {name: WARMLINE_TLS_CLIENT_CA_FILE, value: {{ printf "/etc/warmline/tls/%s" .Values.tls.clientCaKey | quote }}}
        {{- end }}
        {{- end }}
        {{- if and (eq .Values.profile "cluster") .Values.redis.url }}
        - {name: WARMLINE_REDIS, value: {{ .Values.redis.url | quote }}}
        {{- if .Values.redis.passwordSecret.name }}
        - {name: WARMLINE_REDIS_PASSWORD_FILE, value: {{ printf "/etc/warmline/redis/%s" .Values.redis.passwordSecret.key | quote }}}
        {{- end }}
        {{- end }}
        {{- if .Values.webhook.url }}
        - {name: WARMLINE_WEBHOOK_URL, value: {{ .Values.webhook.url | quote }}}
        - {name: WARMLINE_WEBHOOK_SECRET_FILE, value: {{ printf "/etc/warmline/webhook/%s" .Values.webhook.secret.key | quote }}}
        {{- end }}
        {{- with .Values.extraEnv }}{{ toYaml . | nindent 8 }}{{ end }}
      ports:
        {{- if not .Values.front.enabled }}
        - {name: grpc, containerPort: {{ .Values.service.grpcPort }}}
        {{- end }}
        - {name: operations, containerPort: {{ .Values.service.operationsPort }}}
      # Ten minutes to read the pools; then only a process that hangs is restarted, and one that is stale or drains gets no calls.
      startupProbe: {httpGet: {{ include "warmline.probe" (list . "/startupz") }}, periodSeconds: 2, failureThreshold: 300}
      livenessProbe: {httpGet: {{ include "warmline.probe" (list . "/livez") }}, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6}
      readinessProbe: {httpGet: {{ include "warmline.probe" (list . "/readyz") }}, periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 2}
      securityContext: {{- include "warmline.containerSecurity" . | nindent 8 }}
      resources: {{- toYaml .Values.resources | nindent 8 }}
      volumeMounts:
        - {name: data, mountPath: /var/lib/warmline}
        {{- if .Values.tokens.secret }}
        - {name: tokens, mountPath: /etc/warmline/tokens, readOnly: true}
        {{- end }}
        {{- if .Values.jwt.issuer }}
        - {name: jwks, mountPath: /etc/warmline/jwks, readOnly: true}
        {{- end }}
        {{- if and .Values.audit.enabled .Values.audit.secret.name }}
        - {name: audit, mountPath: /etc/warmline/audit, readOnly: true}
        {{- end }}
        {{- if include "warmline.serverTls" . }}
        - {name: tls, mountPath: /etc/warmline/tls, readOnly: true}
        {{- end }}
        {{- if and (eq .Values.profile "cluster") .Values.redis.url .Values.redis.passwordSecret.name }}
        - {name: redis, mountPath: /etc/warmline/redis, readOnly: true}
        {{- end }}
        {{- if .Values.webhook.url }}
        - {name: webhook, mountPath: /etc/warmline/webhook, readOnly: true}
        {{- end }}
    {{- if .Values.front.enabled }}
    {{- include "warmline.front" . | nindent 4 }}
    {{- end }}
  volumes:
    {{- if .Values.front.enabled }}
    - {name: front, configMap: {name: {{ include "warmline.name" . }}-front}}
    {{- if .Values.tls.secret }}
    - {name: front-run, emptyDir: {sizeLimit: 1Mi}}
    {{- end }}
    {{- end }}
    {{- if .Values.tokens.secret }}
    - {name: tokens, secret: {secretName: {{ .Values.tokens.secret }}}}
    {{- end }}
    {{- if .Values.jwt.issuer }}
    - {name: jwks, configMap: {name: {{ .Values.jwt.keys.configMap }}}}
    {{- end }}
    {{- if and .Values.audit.enabled .Values.audit.secret.name }}
    - {name: audit, secret: {secretName: {{ .Values.audit.secret.name }}}}
    {{- end }}
    {{- if eq .Values.profile "cluster" }}
    - {name: data, emptyDir: {sizeLimit: 64Mi}}
    {{- end }}
    {{- if .Values.tls.secret }}
    - {name: tls, secret: {secretName: {{ .Values.tls.secret }}}}
    {{- end }}
    {{- if and (eq .Values.profile "cluster") .Values.redis.url .Values.redis.passwordSecret.name }}
    - {name: redis, secret: {secretName: {{ .Values.redis.passwordSecret.name }}}}
    {{- end }}
    {{- if .Values.webhook.url }}
    - {name: webhook, secret: {secretName: {{ .Values.webhook.secret.name }}}}
    {{- end }}
  {{- if and (eq .Values.profile "cluster") .Values.topologySpread }}
  topologySpreadConstraints:
    {{- range .Values.topologySpread }}
    - topologyKey: {{ . }}
      maxSkew: 1
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels: {{- include "warmline.selector" $ | nindent 10 }}
    {{- end }}
  {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
