{{- define "fullname" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-{{ .Chart.Name }}{{ end }}
{{- end }}

{{- define "selector" -}}
app.kubernetes.io/name: mongodb
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: mongodb
{{- end }}

{{- define "template" }}
    metadata:
      labels:
        {{- include "selector" . | nindent 8 }}
      {{- with .Values.podAnnotations }}
      annotations: {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      serviceAccountName: {{ include "fullname" . }}
      affinity:
        {{- if .Values.affinity }}
        {{- toYaml .Values.affinity | nindent 8 }}
        {{- else }}
        podAffinity:
        podAntiAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
            - weight: 1
              podAffinityTerm:
                topologyKey: kubernetes.io/hostname
                labelSelector:
                  matchLabels: {{- include "selector" . | nindent 20 }}
        {{- end }}
      {{- with .Values.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.tolerations }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext: {{- toYaml .Values.podSecurityContext | nindent 8 }}
      initContainers:
        {{- if .Values.volumePermissions.enabled }}
        - name: volume-permissions
          image: docker.io/bitnami/minideb:buster
          imagePullPolicy: Always
          command: [sh, -c, "chown -R 1001:1001 /bitnami/mongodb"]
          securityContext:
            runAsUser: 0
          resources:
            limits:
              memory: 48Mi
          volumeMounts:
            - name: datadir
              mountPath: /bitnami/mongodb
        {{- end }}
      containers:
        - name: mongodb
          image: {{ .Values.image.registry }}/{{ .Values.image.repository }}:{{ .Values.image.tag }}
          imagePullPolicy: {{ .Values.image.pullPolicy }}
          env:
            {{- if .Values.auth.enabled }}
            - name: MONGODB_ROOT_PASSWORD
              valueFrom:
                secretKeyRef:
                  name: {{ .Values.auth.existingSecret | default (include "fullname" .) }}
                  key: mongodb-root-password
            {{- end }}
            {{- if eq .Values.architecture "replicaset" }}
            - name: MONGODB_REPLICA_SET_NAME
              value: {{ .Values.replicaSetName }}
            {{- end }}
            - name: MONGODB_ENABLE_IPV6
              value: "no"
          ports:
            - name: mongodb
              containerPort: 27017
          securityContext: {{- toYaml .Values.containerSecurityContext | nindent 12 }}
          livenessProbe:
            exec:
              command: [mongo, --quiet, --eval, "db.version()"]
            initialDelaySeconds: 30
            periodSeconds: 10
            timeoutSeconds: 5
            successThreshold: 1
            failureThreshold: 6
          readinessProbe:
            exec:
              command: [mongo, --quiet, --eval, "db.version()"]
            initialDelaySeconds: 5
            periodSeconds: 10
            timeoutSeconds: 5
            successThreshold: 1
            failureThreshold: 6
          resources: {{- toYaml .Values.resources | nindent 12 }}
          volumeMounts:
            - name: datadir
              mountPath: /bitnami/mongodb
              subPath:
        {{- if .Values.metrics.enabled }}
        - name: metrics
          image: docker.io/bitnami/mongodb-exporter:0.20.1-debian-10-r18
          imagePullPolicy: {{ .Values.image.pullPolicy }}
          args: ["--port=9216"]
          securityContext: {{- toYaml .Values.containerSecurityContext | nindent 12 }}
          ports:
            - name: metrics
              containerPort: 9216
          livenessProbe:
            httpGet:
              path: /
              port: metrics
          resources: {}
          volumeMounts:
        {{- end }}
{{- end }}
