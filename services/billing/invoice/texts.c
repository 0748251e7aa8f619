/* texts.c - see texts.h. A row a phrase, a column a language. What invoices must say by
 * law (reverse charge) is in the words of the VAT directive's translations, article 226
 * point 11a. */
#include "invoice/texts.h"

#include <string.h>

enum { EN, DE, FR, ES, IT, NL, PL, PT, JA, AR, LANGUAGES };

static const char codes[LANGUAGES][3] = { "en", "de", "fr", "es", "it", "nl", "pl",
	"pt", "ja", "ar" };

static const char *const words[TEXTS][LANGUAGES] = {
	[TEXT_INVOICE] = { "Invoice", "Rechnung", "Facture", "Factura", "Fattura",
	    "Factuur", "Faktura", "Fatura", "請求書", "فاتورة" },
	[TEXT_CREDIT_NOTE] = { "Credit note", "Rechnungskorrektur", "Avoir",
	    "Factura rectificativa", "Nota di credito", "Creditnota",
	    "Faktura korygująca", "Nota de crédito", "クレジットノート", "إشعار دائن" },
	[TEXT_NUMBER] = { "Number", "Nummer", "Numéro", "Número", "Numero", "Nummer",
	    "Numer", "Número", "番号", "الرقم" },
	[TEXT_DATE] = { "Date", "Datum", "Date", "Fecha", "Data", "Datum",
	    "Data wystawienia", "Data", "発行日", "التاريخ" },
	[TEXT_DUE] = { "Due", "Fällig am", "Échéance", "Vencimiento", "Scadenza",
	    "Vervaldatum", "Termin płatności", "Vencimento", "支払期限",
	    "تاريخ الاستحقاق" },
	[TEXT_FOR_INVOICE] = { "For invoice {1}", "Zur Rechnung {1}",
	    "Pour la facture {1}", "De la factura {1}", "Relativa alla fattura {1}",
	    "Bij factuur {1}", "Do faktury {1}", "Referente à fatura {1}",
	    "請求書 {1} に対するもの", "للفاتورة {1}" },
	[TEXT_BILL_TO] = { "Bill to", "Rechnung an", "Facturé à", "Facturar a",
	    "Intestata a", "Factuur aan", "Nabywca", "Faturar a", "請求先",
	    "الفاتورة إلى" },
	[TEXT_FROM] = { "From", "Von", "De", "De", "Da", "Van", "Sprzedawca", "De",
	    "発行者", "من" },
	[TEXT_VAT_ID] = { "VAT id", "USt-IdNr.", "N° TVA", "NIF-IVA", "Partita IVA",
	    "Btw-nummer", "NIP / VAT UE", "N.º IVA", "VAT番号",
	    "رقم ضريبة القيمة المضافة" },
	[TEXT_TAX_ID] = { "Tax id", "Steuernummer", "N° fiscal", "NIF",
	    "Codice fiscale", "Fiscaal nummer", "Numer podatkowy", "N.º fiscal",
	    "登録番号", "الرقم الضريبي" },
	[TEXT_EMAIL] = { "E-mail", "E-Mail", "E-mail", "Correo electrónico", "E-mail",
	    "E-mail", "E-mail", "E-mail", "メール", "البريد الإلكتروني" },
	[TEXT_PAGE] = { "Page {1} of {2}", "Seite {1} von {2}", "Page {1} sur {2}",
	    "Página {1} de {2}", "Pagina {1} di {2}", "Pagina {1} van {2}",
	    "Strona {1} z {2}", "Página {1} de {2}", "{1} / {2} ページ",
	    "صفحة {1} من {2}" },
	[TEXT_DESCRIPTION] = { "Description", "Beschreibung", "Description",
	    "Descripción", "Descrizione", "Omschrijving", "Opis", "Descrição", "内容",
	    "الوصف" },
	[TEXT_SERVICE_PERIOD] = { "Service period", "Leistungszeitraum",
	    "Période de service", "Período de servicio", "Periodo del servizio",
	    "Dienstperiode", "Okres usługi", "Período do serviço", "サービス期間",
	    "فترة الخدمة" },
	[TEXT_QUANTITY] = { "Quantity", "Menge", "Quantité", "Cantidad", "Quantità",
	    "Aantal", "Ilość", "Quantidade", "数量", "الكمية" },
	[TEXT_UNIT_PRICE] = { "Unit price", "Einzelpreis", "Prix unitaire",
	    "Precio unitario", "Prezzo unitario", "Prijs per stuk", "Cena jednostkowa",
	    "Preço unitário", "単価", "سعر الوحدة" },
	[TEXT_TAX] = { "Tax", "Steuer", "Taxe", "Impuesto", "Imposta", "Belasting",
	    "Podatek", "Imposto", "税", "الضريبة" },
	[TEXT_AMOUNT] = { "Amount", "Betrag", "Montant", "Importe", "Importo", "Bedrag",
	    "Kwota", "Montante", "金額", "المبلغ" },
	[TEXT_BROUGHT_FORWARD] = { "Brought forward", "Übertrag", "Report",
	    "Suma anterior", "Riporto", "Transport", "Z przeniesienia", "Transporte",
	    "前頁より繰越", "مرحَّل من الصفحة السابقة" },
	[TEXT_SUBTOTAL] = { "Subtotal", "Zwischensumme", "Sous-total", "Subtotal",
	    "Subtotale", "Subtotaal", "Suma częściowa", "Subtotal", "小計",
	    "المجموع الفرعي" },
	[TEXT_DISCOUNT] = { "Discount", "Rabatt", "Remise", "Descuento", "Sconto",
	    "Korting", "Rabat", "Desconto", "割引", "الخصم" },
	[TEXT_DISCOUNT_CODE] = { "Discount ({1})", "Rabatt ({1})", "Remise ({1})",
	    "Descuento ({1})", "Sconto ({1})", "Korting ({1})", "Rabat ({1})",
	    "Desconto ({1})", "割引（{1}）", "الخصم ({1})" },
	[TEXT_NET] = { "Net", "Netto", "Total HT", "Base imponible", "Imponibile",
	    "Netto", "Netto", "Total líquido", "税抜金額", "الصافي" },
	[TEXT_TAX_RATE] = { "Tax {1}%", "Steuer {1} %", "Taxe {1} %", "Impuesto {1} %",
	    "Imposta {1}%", "Belasting {1}%", "Podatek {1}%", "Imposto {1} %",
	    "税 {1}%", "الضريبة {1}%" },
	[TEXT_TAX_INCLUDED] = { "Tax {1}% (included)", "Steuer {1} % (enthalten)",
	    "Taxe {1} % (incluse)", "Impuesto {1} % (incluido)",
	    "Imposta {1}% (inclusa)", "Belasting {1}% (inbegrepen)",
	    "Podatek {1}% (wliczony)", "Imposto {1} % (incluído)", "税 {1}%（内税）",
	    "الضريبة {1}% (مشمولة)" },
	[TEXT_TOTAL] = { "Total", "Gesamtbetrag", "Total TTC", "Total", "Totale",
	    "Totaal", "Razem", "Total", "合計", "الإجمالي" },
	[TEXT_FROM_BALANCE] = { "From your credit balance", "Aus Ihrem Guthaben",
	    "Prélevé sur votre solde", "De su saldo a favor", "Dal tuo credito",
	    "Uit uw tegoed", "Z salda na koncie", "Do seu saldo", "残高からの充当",
	    "من رصيدك الدائن" },
	[TEXT_TO_BALANCE] = { "Added to your credit balance",
	    "Ihrem Guthaben zugebucht", "Porté à votre solde",
	    "Añadido a su saldo a favor", "Aggiunto al tuo credito",
	    "Toegevoegd aan uw tegoed", "Dodano do salda na koncie",
	    "Somado ao seu saldo", "残高への加算", "أضيف إلى رصيدك الدائن" },
	[TEXT_CARRIED] = { "Carried over from earlier invoices",
	    "Übertrag aus früheren Rechnungen", "Reporté de factures précédentes",
	    "Pendiente de facturas anteriores", "Riportato da fatture precedenti",
	    "Overgedragen van eerdere facturen", "Przeniesione z wcześniejszych faktur",
	    "Transportado de faturas anteriores", "前回請求からの繰越",
	    "مرحَّل من فواتير سابقة" },
	[TEXT_CARRIED_ON] = { "Carried over to the next invoice",
	    "Übertrag auf die nächste Rechnung", "Reporté sur la prochaine facture",
	    "Se suma a la próxima factura", "Riportato alla prossima fattura",
	    "Overgedragen naar de volgende factuur", "Przeniesione na następną fakturę",
	    "Transportado para a próxima fatura", "次回請求への繰越",
	    "يرحَّل إلى الفاتورة التالية" },
	[TEXT_CREDITED] = { "Credited", "Gutgeschrieben", "Avoirs", "Abonado",
	    "Accreditato", "Gecrediteerd", "Skorygowano", "Creditado", "減額済み",
	    "المخصوم بإشعارات دائنة" },
	[TEXT_PAID] = { "Paid", "Bezahlt", "Payé", "Pagado", "Pagato", "Betaald",
	    "Zapłacono", "Pago", "支払済み", "المدفوع" },
	[TEXT_AMOUNT_DUE] = { "Amount due", "Offener Betrag", "Montant dû",
	    "Importe pendiente", "Importo dovuto", "Te betalen", "Do zapłaty",
	    "Montante em dívida", "未払額", "المبلغ المستحق" },
	[TEXT_OFF_DUE] = { "Taken off the amount due", "Vom offenen Betrag abgezogen",
	    "Déduit du montant dû", "Restado del importe pendiente",
	    "Detratto dall'importo dovuto", "Afgetrokken van het te betalen bedrag",
	    "Odjęto od kwoty do zapłaty", "Deduzido do montante em dívida",
	    "未払額からの控除", "مخصوم من المبلغ المستحق" },
	[TEXT_REFUNDED] = { "Refunded", "Erstattet", "Remboursé", "Reembolsado",
	    "Rimborsato", "Terugbetaald", "Zwrócono", "Reembolsado", "返金済み",
	    "المردود" },
	[TEXT_IS_DRAFT] = { "Draft", "Entwurf", "Brouillon", "Borrador", "Bozza",
	    "Concept", "Szkic", "Rascunho", "下書き", "مسودة" },
	[TEXT_IS_OPEN] = { "Open", "Offen", "À payer", "Pendiente", "Da pagare", "Open",
	    "Nieopłacona", "Por pagar", "未払い", "غير مدفوعة" },
	[TEXT_IS_PAID] = { "Paid", "Bezahlt", "Payée", "Pagada", "Pagata", "Betaald",
	    "Opłacona", "Paga", "支払済み", "مدفوعة" },
	[TEXT_IS_PAID_ON] = { "Paid on {1}", "Bezahlt am {1}", "Payée le {1}",
	    "Pagada el {1}", "Pagata il {1}", "Betaald op {1}", "Opłacona {1}",
	    "Paga em {1}", "{1} 支払済み", "دُفعت في {1}" },
	[TEXT_IS_VOID] = { "Void", "Storniert", "Annulée", "Anulada", "Annullata",
	    "Vervallen", "Anulowana", "Anulada", "無効", "ملغاة" },
	[TEXT_IS_UNCOLLECTIBLE] = { "Uncollectible", "Uneinbringlich", "Irrécouvrable",
	    "Incobrable", "Inesigibile", "Oninbaar", "Nieściągalna", "Incobrável",
	    "回収不能", "غير قابلة للتحصيل" },
	[TEXT_REVERSE_CHARGE] = { "Reverse charge: the buyer accounts for the tax.",
	    "Steuerschuldnerschaft des Leistungsempfängers (Reverse Charge).",
	    "Autoliquidation : la taxe est due par le preneur.",
	    "Inversión del sujeto pasivo.", "Inversione contabile (reverse charge).",
	    "Btw verlegd.", "Odwrotne obciążenie.", "Autoliquidação.",
	    "リバースチャージ：税は購入者が申告・納付します。",
	    "الاحتساب العكسي: يتولى المشتري سداد الضريبة." },
	[TEXT_NOT_SUBJECT] = { "Not subject to tax.", "Nicht steuerbar.",
	    "Non soumis à la taxe.", "No sujeto a impuesto.",
	    "Fuori campo di applicazione dell'imposta.",
	    "Niet aan belasting onderworpen.", "Nie podlega opodatkowaniu.",
	    "Não sujeito a imposto.", "課税対象外です。", "غير خاضع للضريبة." },
	[TEXT_EXEMPT] = { "Exempt from tax.", "Steuerbefreit.", "Exonéré de taxe.",
	    "Exento de impuesto.", "Esente da imposta.", "Vrijgesteld van belasting.",
	    "Zwolnione z podatku.", "Isento de imposto.", "非課税です。",
	    "معفى من الضريبة." },
	[TEXT_ZERO_RATED] = { "Taxed at a rate of 0%.", "Steuersatz 0 %.",
	    "Taxé au taux de 0 %.", "Tipo impositivo del 0 %.", "Aliquota dello 0%.",
	    "Belast tegen 0%.", "Stawka podatku 0%.", "Taxa de imposto de 0 %.",
	    "税率は0%です。", "خاضع للضريبة بنسبة 0%." },
	[TEXT_TERMS_AT_ONCE] = { "Payable at once.", "Sofort zahlbar.",
	    "Payable à réception.", "Pago inmediato.", "Pagamento immediato.",
	    "Direct te betalen.", "Płatne natychmiast.", "Pagamento imediato.",
	    "即時のお支払いをお願いいたします。", "مستحقة الدفع فورًا." },
	[TEXT_TERMS_DAYS] = { "Payable within {1} days.",
	    "Zahlbar innerhalb von {1} Tagen.", "Payable sous {1} jours.",
	    "Pago en un plazo de {1} días.", "Pagamento entro {1} giorni.",
	    "Te betalen binnen {1} dagen.", "Płatne w ciągu {1} dni.",
	    "Pagamento no prazo de {1} dias.", "{1}日以内にお支払いください。",
	    "مستحقة الدفع خلال {1} يومًا." },
	[TEXT_TERMS_DAY] = { "Payable within one day.",
	    "Zahlbar innerhalb eines Tages.", "Payable sous un jour.",
	    "Pago en el plazo de un día.", "Pagamento entro un giorno.",
	    "Te betalen binnen één dag.", "Płatne w ciągu jednego dnia.",
	    "Pagamento no prazo de um dia.", "1日以内にお支払いください。",
	    "مستحقة الدفع خلال يوم واحد." },
	[TEXT_TERMS_CHARGED] = { "Charged automatically to the payment method on file.",
	    "Wird automatisch vom hinterlegten Zahlungsmittel abgebucht.",
	    "Prélevé automatiquement sur le moyen de paiement enregistré.",
	    "Se cobra automáticamente al método de pago registrado.",
	    "Addebitato automaticamente sul metodo di pagamento registrato.",
	    "Wordt automatisch afgeschreven van de opgeslagen betaalmethode.",
	    "Kwota zostanie pobrana automatycznie z zapisanej metody płatności.",
	    "Cobrado automaticamente no método de pagamento registado.",
	    "登録済みのお支払い方法から自動的に引き落とされます。",
	    "يُخصم تلقائيًا من وسيلة الدفع المسجّلة." },
	[TEXT_PAY_ONLINE] = { "Pay online", "Online bezahlen", "Payer en ligne",
	    "Pagar en línea", "Paga online", "Online betalen", "Zapłać online",
	    "Pagar online", "オンラインで支払う", "ادفع عبر الإنترنت" },
	[TEXT_SEATS] = { "{1} × {2}", "{1} × {2}", "{1} × {2}", "{1} × {2}",
	    "{1} × {2}", "{1} × {2}", "{1} × {2}", "{1} × {2}", "{1} × {2}",
	    "{2} × {1}" },
	[TEXT_UNUSED] = { "Unused time: {1}", "Ungenutzte Zeit: {1}",
	    "Temps non utilisé : {1}", "Tiempo no utilizado: {1}",
	    "Tempo non utilizzato: {1}", "Ongebruikte tijd: {1}",
	    "Niewykorzystany okres: {1}", "Tempo não utilizado: {1}", "未使用期間：{1}",
	    "المدة غير المستخدمة: {1}" },
	[TEXT_REMAINING] = { "Remaining time: {1}", "Restliche Zeit: {1}",
	    "Temps restant : {1}", "Tiempo restante: {1}", "Tempo rimanente: {1}",
	    "Resterende tijd: {1}", "Pozostały okres: {1}", "Tempo restante: {1}",
	    "残り期間：{1}", "المدة المتبقية: {1}" },
	[TEXT_CREDIT_OF] = { "Credit: {1}", "Korrektur: {1}", "Avoir : {1}",
	    "Abono: {1}", "Accredito: {1}", "Credit: {1}", "Korekta: {1}",
	    "Crédito: {1}", "減額：{1}", "خصم: {1}" },
	[TEXT_REASON] = { "Reason", "Grund", "Motif", "Motivo", "Motivo", "Reden",
	    "Powód", "Motivo", "理由", "السبب" },
	[TEXT_REASON_DUPLICATE] = { "Invoiced twice", "Doppelt berechnet",
	    "Facturé deux fois", "Facturado dos veces", "Fatturato due volte",
	    "Dubbel gefactureerd", "Zafakturowano dwukrotnie", "Faturado duas vezes",
	    "二重請求", "فُوتر مرتين" },
	[TEXT_REASON_FRAUDULENT] = { "Not ordered by the buyer",
	    "Nicht vom Käufer bestellt", "Non commandé par l'acheteur",
	    "No pedido por el comprador", "Non ordinato dall'acquirente",
	    "Niet door de koper besteld", "Niezamówione przez nabywcę",
	    "Não encomendado pelo comprador", "購入者の注文によらない請求",
	    "لم يطلبه المشتري" },
	[TEXT_REASON_ORDER_CHANGE] = { "Change of the order", "Änderung der Bestellung",
	    "Modification de la commande", "Cambio del pedido", "Modifica dell'ordine",
	    "Wijziging van de bestelling", "Zmiana zamówienia",
	    "Alteração da encomenda", "注文の変更", "تغيير الطلب" },
	[TEXT_REASON_UNSATISFACTORY] = { "Not to the buyer's satisfaction",
	    "Nicht zur Zufriedenheit des Käufers", "Insatisfaction de l'acheteur",
	    "Insatisfacción del comprador", "Insoddisfazione dell'acquirente",
	    "Niet naar tevredenheid van de koper", "Niezadowolenie nabywcy",
	    "Insatisfação do comprador", "品質への不満", "عدم رضا المشتري" },
};

/* The column of a locale. */
static int
language_of(const char *locale)
{
	size_t n = locale ? strcspn(locale, "-_") : 0;

	for (int i = 0; n == 2 && i < LANGUAGES; i++)
		if (strncmp(codes[i], locale, 2) == 0)
			return i;
	return EN;
}

const char *
text_of(enum text which, const char *locale)
{
	return words[which][language_of(locale)];
}

bool
text_is_rtl(const char *locale)
{
	return language_of(locale) == AR;
}

/* Appends as much as there is room for, whole characters only (UTF-8). */
static size_t
append(char *out, size_t size, size_t at, const char *text, size_t n)
{
	size_t room = size - 1 - at;

	if (n > room)
		for (n = room; n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80;)
			n--;
	memcpy(out + at, text, n);
	return at + n;
}

const char *
text_fill(char *out, size_t size, enum text which, const char *locale,
    const char *first, const char *second)
{
	const char *text = text_of(which, locale);
	size_t at = 0;

	while (*text) {
		size_t n = strcspn(text, "{");
		const char *value = text[n] == '\0'      ? NULL
				    : text[n + 1] == '1' ? first
							 : second;

		at = append(out, size, at, text, n);
		if (value)
			at = append(out, size, at, value, strlen(value));
		text += n + (text[n] ? strlen("{1}") : 0);
	}
	out[at] = '\0';
	return out;
}
