# demo_media.sh - the part of tools/demo about files: a picture whose upload breaks off in the
# middle and goes on from there, the sizes that are made of it, a link that is revoked, and
# what all of it counts.

IN=(-H "X-Tenant-Id: $TENANT")
TUS=(-H 'Tus-Resumable: 1.0.0')

# A picture of a megabyte: no machine has one that is surely there.
/usr/bin/python3 - "$WORK/picture.png" <<'END'
import random, struct, sys, zlib
width, height, chance = 1200, 800, random.Random(7)
def chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
rows = b''.join(b'\0' + b''.join(bytes((x * 255 // width, y * 255 // height, chance.randrange(160, 200)))
                                 for x in range(width)) for y in range(height))
with open(sys.argv[1], 'wb') as file:
    file.write(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)) +
               chunk(b'IDAT', zlib.compress(rows, 6)) + chunk(b'IEND', b''))
END
size=$(stat -c %s "$WORK/picture.png")
words() { printf '%s' "$1" | base64 -w0; }

story "Ada uploads a picture of $size bytes (tus 1.0.0), and her line breaks in the middle"
call 201 POST /api/v1/uploads '' "${IN[@]}" "${TUS[@]}" -H "Upload-Length: $size" \
	-H "Upload-Metadata: filename $(words 'Sunset é 東京.png'),filetype $(words image/png),collection $(words pictures)"
upload=$(header location)
printf '    Location: %s\n' "$upload"
printf '  %sPATCH %s%s\n' "$BLUE" "$upload" "$PLAIN"
half() { # what a client that is cut off has sent
	head -c $((size / 2)) "$WORK/picture.png" | curl -sS -m 2 -o /dev/null -X PATCH "$URL$upload" -H "Authorization: Bearer $TOKEN" "${IN[@]}" \
		"${TUS[@]}" -H 'Content-Type: application/offset+octet-stream' -H 'Upload-Offset: 0' -H "Content-Length: $size" --data-binary @- 2>&1
}
half | sed 's/^/  /' || true

story "She asks how far it came, and goes on from there"
call 200 HEAD "$upload" '' --head "${IN[@]}" "${TUS[@]}"
offset=$(header upload-offset)
printf '    Upload-Offset: %s of %s\n' "$offset" "$(header upload-length)"
[ "$offset" -gt 0 ] && [ "$offset" -lt "$size" ] || die "the upload is at $offset, which is not the middle of $size bytes."
tail -c +$((offset + 1)) "$WORK/picture.png" >"$WORK/rest"
call 204 PATCH "$upload" '' "${IN[@]}" "${TUS[@]}" -H 'Content-Type: application/offset+octet-stream' \
	-H "Upload-Offset: $offset" --data-binary "@$WORK/rest"

story "It is a file, and a picture: its sizes are being made"
file=/api/v1/files/${upload##*/}
made() { curl -sf "$URL$file" -H "Authorization: Bearer $ADA" "${IN[@]}" | jq -e '.state == "ready" and (.variants | length > 0 and all(.made))'; }
wait_until 30 sizes made || die "the sizes of the picture were not made within 30 s; tools/trellis jobs list shows what waits."
LINES_SHOWN=60 call 200 GET "$file" '' "${IN[@]}"
[ "$(take .sha256)" = "$(sha256sum <"$WORK/picture.png" | cut -d' ' -f1)" ] || die "the file is not what was sent."
for name in $(take '.variants[].name'); do
	call 200 GET "$file/variants/$name" '' "${IN[@]}"
done

story "A link opens it for anybody, until she takes it back"
call 201 POST "$file/links" '{}' "${IN[@]}"
link=$(take .url) link_id=$(take .id)
TOKEN=
call 200 GET "$link"
TOKEN=$ADA
call 204 DELETE "$file/links/$link_id" '' "${IN[@]}"
TOKEN=
call 410 GET "$link"
TOKEN=$ADA

story "What she stores is counted"
call 200 GET /api/v1/storage '' "${IN[@]}"
