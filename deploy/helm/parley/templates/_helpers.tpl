{{- define "parley.labels" -}}
app.kubernetes.io/name: parley
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "parley.pod" -}}
metadata:
  labels:
    {{- include "parley.labels" . | nindent 4 }}
spec:
  automountServiceAccountToken: false
  # Longer than people are given to move, with time for what is under way.
  terminationGracePeriodSeconds: {{ add .Values.drainSeconds 20 }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 1000
    runAsGroup: 1000
    fsGroup: 1000
    seccompProfile: { type: RuntimeDefault }
  containers:
    - name: parley
      image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args:
        - serve
        - --drain-seconds
        - {{ .Values.drainSeconds | quote }}
        {{- if .Values.publicUrl }}
        - --public-url
        - {{ .Values.publicUrl | quote }}
        {{- end }}
        {{- range .Values.allowedOrigins }}
        - --allow-origin
        - {{ . | quote }}
        {{- end }}
      env:
        - name: PARLEY_METRICS_PORT
          value: {{ .Values.metrics.port | quote }}
      {{- if eq .Values.mode "cluster" }}
      envFrom:
        - secretRef: { name: {{ .Values.cluster.existingSecret }} }
      {{- end }}
      ports:
        - { name: http, containerPort: 4500 }
        - { name: metrics, containerPort: {{ .Values.metrics.port }} }
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: { drop: [ALL] }
      # Time for the endpoints to be without this pod before anybody is asked to move.
      lifecycle:
        preStop:
          exec: { command: [sleep, '3'] }
      startupProbe:
        httpGet: { path: /healthz, port: http }
        periodSeconds: 2
        failureThreshold: 60
      livenessProbe:
        httpGet: { path: /healthz, port: http }
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 3
      readinessProbe:
        httpGet: { path: /readyz, port: http }
        periodSeconds: 2
        failureThreshold: 1
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      volumeMounts:
        - { name: data, mountPath: /data }
        - { name: tmp, mountPath: /tmp }
  volumes:
    - { name: tmp, emptyDir: {} }
    {{- if eq .Values.mode "cluster" }}
    - { name: data, emptyDir: {} }
    {{- end }}
{{- end }}
