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
          resources:
            limits: {}
          volumeMounts:
            - name: datadir
              mountPath: /bitnami/mongodb
              subPath:
{{- end }}
