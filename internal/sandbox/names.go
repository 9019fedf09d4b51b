package sandbox

import "math/rand/v2"

// region is a pool of names that go together, with the language that is spoken on some of the calls.
type region struct {
	language string
	talk     *theme // what calls in that language are about; nil if calls are held in English
	given    []name
	family   []name
	system   string // most used conference system
}

// first is what somebody from the region is called in a meeting.
func (r *region) first(rng *rand.Rand) string {
	if r == japanese {
		return pick(rng, r.family).text + "さん"
	}
	return pick(rng, r.given).text
}

// name is a name as written, and as it appears in an address.
type name struct{ text, ascii string }

func plain(texts ...string) []name {
	names := make([]name, len(texts))
	for i, t := range texts {
		names[i] = name{text: t}
	}
	return names
}

var (
	anglo = &region{language: "eng", system: "Zoom",
		given:  plain("Priya", "Marcus", "Eleanor", "Devon", "Grace", "Tobias", "Naomi", "Caleb", "Imani", "Ruth", "Wesley", "Fiona"),
		family: plain("Whitfield", "Okafor", "Castellano", "Brandt", "Ashworth", "Delgado", "Nakagawa", "Sinclair", "Mbeki", "Lindqvist", "Harlow", "Reyes"),
	}
	german = &region{language: "ger", talk: &germanTalk, system: "Microsoft Teams",
		given:  []name{{"Jürgen", "juergen"}, {"Anneliese", ""}, {"Götz", "goetz"}, {"Käthe", "kaethe"}, {"Matthias", ""}, {"Silke", ""}, {"Björn", "bjoern"}, {"Heike", ""}},
		family: []name{{"Müller", "mueller"}, {"Weißgerber", "weissgerber"}, {"Köhler", "koehler"}, {"Brömmel", "broemmel"}, {"Thalheim", ""}, {"Jäger", "jaeger"}, {"Schönfeld", "schoenfeld"}, {"Vogt", ""}},
	}
	french = &region{language: "fre", talk: &frenchTalk, system: "Google Meet",
		given:  []name{{"Élodie", "elodie"}, {"Benoît", "benoit"}, {"Maëlle", "maelle"}, {"François", "francois"}, {"Solène", "solene"}, {"Rémi", "remi"}, {"Aurélie", "aurelie"}, {"Gaëtan", "gaetan"}},
		family: []name{{"Lefèvre", "lefevre"}, {"d'Aubigné", "daubigne"}, {"Châtelain", "chatelain"}, {"Garnier", ""}, {"Bérenger", "berenger"}, {"Marchand", ""}, {"Noël", "noel"}, {"Rousselot", ""}},
	}
	iberian = &region{language: "spa", talk: &spanishTalk, system: "Google Meet",
		given:  []name{{"Íñigo", "inigo"}, {"Lucía", "lucia"}, {"José Ángel", "joseangel"}, {"Begoña", "begona"}, {"Martín", "martin"}, {"Inés", "ines"}, {"João", "joao"}, {"Conceição", "conceicao"}},
		family: []name{{"Núñez", "nunez"}, {"Ibáñez", "ibanez"}, {"Peñalver", "penalver"}, {"Guimarães", "guimaraes"}, {"Cordero", ""}, {"Muñoz", "munoz"}, {"Araújo", "araujo"}, {"Zubiría", "zubiria"}},
	}
	nordic = &region{language: "eng", system: "Microsoft Teams",
		given:  []name{{"Åsa", "asa"}, {"Søren", "soren"}, {"Þórdís", "thordis"}, {"Leif", ""}, {"Päivi", "paivi"}, {"Ingrid", ""}, {"Ragnhild", ""}, {"Jyrki", ""}},
		family: []name{{"Østergaard", "ostergaard"}, {"Nyström", "nystrom"}, {"Hämäläinen", "hamalainen"}, {"Bjørnstad", "bjornstad"}, {"Ekelund", ""}, {"Sjöberg", "sjoberg"}, {"Kjær", "kjaer"}, {"Haraldsdóttir", "haraldsdottir"}},
	}
	slavic = &region{language: "eng", system: "Zoom",
		given:  []name{{"Łukasz", "lukasz"}, {"Zdeněk", "zdenek"}, {"Małgorzata", "malgorzata"}, {"Oksana", ""}, {"Šárka", "sarka"}, {"Bożena", "bozena"}, {"Milán", "milan"}, {"Ivana", ""}},
		family: []name{{"Wójcik", "wojcik"}, {"Dvořák", "dvorak"}, {"Kowalczyk", ""}, {"Szczęsny", "szczesny"}, {"Horváth", "horvath"}, {"Novotný", "novotny"}, {"Żak", "zak"}, {"Marković", "markovic"}},
	}
	japanese = &region{language: "jpn", talk: &japaneseTalk, system: "Zoom",
		given:  []name{{"太郎", "taro"}, {"美咲", "misaki"}, {"健一", "kenichi"}, {"陽子", "yoko"}, {"大輔", "daisuke"}, {"さくら", "sakura"}, {"直樹", "naoki"}, {"恵", "megumi"}},
		family: []name{{"山田", "yamada"}, {"佐々木", "sasaki"}, {"渡辺", "watanabe"}, {"小林", "kobayashi"}, {"髙橋", "takahashi"}, {"森", "mori"}, {"石川", "ishikawa"}, {"藤原", "fujiwara"}},
	}
	indian = &region{language: "eng", system: "Google Meet",
		given:  plain("Ananya", "Rohan", "Kavitha", "Arjun", "Meera", "Siddharth", "Lakshmi", "Vikram"),
		family: plain("Iyer", "Chatterjee", "Raghunathan", "Deshpande", "Kulkarni", "Bhattacharya", "Menon", "Gill"),
	}
)

// customer is an account to be: the name, the first label of its domain, and what it does.
type customer struct {
	name, domain, industry string
	region                 *region
}

// The customers with a part to play, by their place in the list of accounts to be. Their names decide ties, so they begin with
// different ASCII capitals.
const (
	groupParent = iota // the parent of groupChild: one person belongs to both, and they share a domain
	groupChild
	tieFirst  // comes before tieSecond by name
	tieSecond // comes after it
	twinOne   // has the same name as twinTwo and the lower id
	twinTwo
	house // the vendor's own account, with the vendor's own people as users
	firstOrdinaryCustomer
)

var customers = []customer{
	groupParent:           {"Norrland Timber Group", "norrland-timber", "Forestry", nordic},
	groupChild:            {"Norrland Packaging", "norrland-timber", "Packaging", nordic},
	tieFirst:              {"Brightforge Tooling", "brightforge", "Machine tools", anglo},
	tieSecond:             {"Quillhaven Press", "quillhaven", "Publishing", anglo},
	twinOne:               {"Meridian Health", "meridianhealth", "Hospitals", anglo},
	twinTwo:               {"Meridian Health", "meridian-labs", "Laboratories", anglo},
	house:                 {vendorName + " (internal)", vendorLabel, "Software", anglo},
	firstOrdinaryCustomer: {"Kestrel & Vane Outfitters", "kestrelvane", "Retail", anglo},

	{"Weißbach Maschinenbau GmbH", "weissbach-maschinen", "Mechanical engineering", german},
	{"Hansekontor Lebensmittel", "hansekontor", "Food wholesale", german},
	{"Grünwald Pharma AG", "gruenwald-pharma", "Pharmaceuticals", german},
	{"Alpenrail Cargo", "alpenrail", "Rail freight", german},
	{"Maison Bérenger", "maison-berenger", "Luxury goods", french},
	{"Côte d'Opale Marée", "opale-maree", "Seafood", french},
	{"Ferronnerie Lyonnaise", "ferronnerie-lyon", "Steel", french},
	{"Olivares Ibáñez Hermanos", "olivares-ibanez", "Olive oil", iberian},
	{"Cerâmica do Mondego", "ceramica-mondego", "Ceramics", iberian},
	{"Puerto Alto Logística", "puertoalto", "Port logistics", iberian},
	{"Fjordkraft Marin", "fjordkraft-marin", "Fish farming", nordic},
	{"Ísbjörn Cold Chain", "isbjorn", "Cold storage", nordic},
	{"Sjöström Möbler", "sjostrom-mobler", "Furniture", nordic},
	{"Wisła Automotive", "wisla-automotive", "Car parts", slavic},
	{"Bohemia Kristall", "bohemia-kristall", "Glass", slavic},
	{"Zephyr Aerostructures", "zephyr-aero", "Aerospace", slavic},
	{"山田精密工業", "yamada-seimitsu", "Precision parts", japanese},
	{"Kaede Foods 株式会社", "kaede-foods", "Food", japanese},
	{"Hoshino Optics", "hoshino-optics", "Optics", japanese},
	{"Lotus Weave Textiles", "lotusweave", "Textiles", indian},
	{"Deccan Agritech", "deccan-agri", "Agriculture", indian},
	{"Sagar Marine Exports", "sagar-marine", "Seafood", indian},
	{"Ironbark Mining Supply", "ironbark", "Mining supply", anglo},
	{"Pelican Point Brewing", "pelicanpoint", "Beverages", anglo},
	{"Cobalt Ridge Energy", "cobaltridge", "Energy", anglo},
	{"Thistle & Loom", "thistleloom", "Textiles", anglo},
	{"Juniper Freight Lines", "juniperfreight", "Trucking", anglo},
	{"Larkspur Pet Foods", "larkspurpets", "Pet food", anglo},
	{"Old Mill Paper Co.", "oldmillpaper", "Paper", anglo},
	{"Saltmarsh Seeds", "saltmarsh", "Seeds", anglo},
	{"Everstone Building Products", "everstone", "Building materials", anglo},
	{"Tamarind Kitchenware", "tamarind", "Household goods", indian},
	{"Vireo Medical Devices", "vireomedical", "Medical devices", anglo},
	{"Oakhurst Dairy Co-operative", "oakhurstdairy", "Dairy", anglo},
	{"Ravensworth Chemicals", "ravensworth", "Chemicals", anglo},
	{"Pinecrest Outdoor", "pinecrest", "Sporting goods", anglo},
	{"Umbra Lighting \"Works\"", "umbralighting", "Lighting", anglo},
	{"Gallowglass Whiskey <1821>", "gallowglass", "Spirits", anglo},
}

// prospects are companies that Totango does not know.
var prospects = []*Account{
	{Name: "Bluefin Robotics", Domain: "bluefin-robotics" + domainTail, region: anglo},
	{Name: "Kärntner Holzwerke", Domain: "kaerntner-holz" + domainTail, region: german},
	{Name: "Atelier Solstice", Domain: "atelier-solstice" + domainTail, region: french},
	{Name: "Pemberton Analytics", Domain: "pemberton-analytics" + domainTail, region: anglo},
	{Name: "Gmajl & Partner", Domain: "freemail" + domainTail, region: slavic},
}

// titles are what the customers' people do.
var titles = []string{
	"VP Operations", "Head of Supply Chain", "Logistics Manager", "IT Director", "Procurement Lead", "Warehouse Systems Analyst",
	"Chief Operating Officer", "Transport Planner", "Integration Engineer", "Finance Business Partner", "Customer Service Lead",
}

const (
	vendorName  = "Harborlight"
	vendorLabel = "harborlight"
	domainTail  = ".example"

	// sisterDomain is a domain of the vendor that only Gong knows to be internal, and agencyDomain that of an agency whose
	// people are internal because they are Totango team members.
	sisterDomain = "signalworks" + domainTail
	agencyDomain = "tidewater-consulting" + domainTail
)

// staff are the vendor's people. The first customerSuccess of them look after customers and host meetings.
var staff = []Member{
	{First: "Hana", Last: "Lindgren", Title: "Director of Customer Success", Totango: true},
	{First: "Mateo", Last: "Vargas", Title: "Senior Customer Success Manager", Totango: true},
	{First: "Aoife", Last: "Brennan", Title: "Customer Success Manager", Totango: true},
	{First: "Jonas", Last: "Reinhardt", Title: "Customer Success Manager", Totango: true},
	{First: "Claire", Last: "Dubois", Title: "Customer Success Manager", Totango: true},
	{First: "Kenji", Last: "Arakawa", Title: "Customer Success Manager", Totango: true},
	{First: "Nadia", Last: "Rahmani", Title: "Onboarding Manager", Totango: true},
	{First: "Samuel", Last: "Adeyemi", Title: "Technical Account Manager", Totango: true},
	{First: "Tomás", Last: "Quiroga", Title: "Renewals Manager", Totango: true},
	{First: "Wren", Last: "Calloway", Title: "Customer Success Manager", Totango: true},
	{First: "Ishaan", Last: "Kapoor", Title: "Solutions Architect"},
	{First: "Beatrix", Last: "Holm", Title: "Support Lead", Totango: true},
}

const customerSuccess = 10
