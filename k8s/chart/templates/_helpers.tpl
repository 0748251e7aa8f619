{{- /* Made by k8s/generate; changes here are lost. */ -}}
{{- define "trellis.image" -}}
{{- $top := index . 0 -}}
{{- $name := index . 1 -}}
{{- $own := $top.Values.ctl -}}
{{- if ne $name "ctl" -}}{{- $own = index $top.Values.services $name -}}{{- end -}}
{{- if $own.image -}}
{{ $own.image }}
{{- else -}}
{{ with $top.Values.image.registry }}{{ . }}/{{ end }}trellis/{{ $name }}:{{ $top.Values.image.tag }}
{{- end -}}
{{- end -}}
{{- /* Of the tag, as a part of a name: a Job cannot be changed, so a release has its own. */ -}}
{{- define "trellis.version" -}}
{{ regexReplaceAll "[^a-z0-9]+" (lower .Values.image.tag) "-" | trunc 40 | trimAll "-" }}
{{- end -}}
{{- define "trellis.scheme" -}}
{{ if .Values.components.tls }}tls+tcp{{ else }}tcp{{ end }}
{{- end -}}
{{- define "trellis.host" -}}
{{ regexReplaceAll "^https?://([^/:]+).*$" .Values.settings.TRELLIS_PUBLIC_URL "${1}" }}
{{- end -}}
{{- define "trellis.hash" -}}
{{ toJson . | sha256sum | trunc 10 }}
{{- end -}}
