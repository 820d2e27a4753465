"""The words by which names of persons are told from others in French text.

Lower case and without accents, but for places; chosen by hand. What people are called is in
``kb.name_lists``.
"""

from __future__ import annotations

COMMUNES = tuple(
    """
Fort-de-France|Le Lamentin|Le Robert|Schœlcher|Sainte-Marie|Le François|Ducos|Saint-Joseph|La Trinité
|Rivière-Pilote|Rivière-Salée|Gros-Morne|Sainte-Luce|Saint-Esprit|Le Lorrain|Le Marin|Les Trois-Îlets
|Le Vauclin|Le Morne-Rouge|Saint-Pierre|Le Carbet|Basse-Pointe|Case-Pilote|Les Anses-d’Arlet|Le Diamant
|Sainte-Anne|Le Morne-Vert|Bellefontaine|Le Prêcheur|Le Marigot|L’Ajoupa-Bouillon|Macouba|Grand’Rivière
|Fonds-Saint-Denis|Les Abymes|Baie-Mahault|Le Gosier|Petit-Bourg|Le Moule|Capesterre-Belle-Eau|Sainte-Rose
|Pointe-à-Pitre|Lamentin|Saint-François|Basse-Terre|Saint-Claude|Trois-Rivières|Morne-à-l’Eau|Gourbeyre
|Petit-Canal|Goyave|Bouillante|Vieux-Habitants|Pointe-Noire|Baillif|Anse-Bertrand|Port-Louis|Deshaies
|Grand-Bourg|Vieux-Fort|Terre-de-Haut|Terre-de-Bas|Saint-Louis|La Désirade|Marie-Galante|Cayenne
|Saint-Laurent-du-Maroni|Saint-Laurent|Matoury|Kourou|Rémire-Montjoly|Macouria|Mana|Maripasoula|Apatou
|Grand-Santi|Saint-Georges|Papaichton|Roura|Sinnamary|Iracoubo|Montsinéry-Tonnegrande|Awala-Yalimapo|Camopi
|Régina|Saül|Saint-Élie|Ouanary|Saint-Martin|Saint-Barthélemy|Terres-Sainville|Sainte-Thérèse|Paris
|Marseille|France|Europe
""".replace("\n", "").split("|")
)
"""Communes of Martinique, Guadeloupe and Guyane (Code officiel géographique) and a few other places
that could be taken for people, with their accents."""

ABBREVIATED = frozenset(
    """
m mr mm mrs mme mmes mlle mlles melle vve veuve
""".split()  # noqa: SIM905
)
"""Civilities after which any word is a name."""

CIVILITIES = (
    frozenset(
        """
monsieur madame mademoiselle messieurs mesdames docteur dr pr mgr monseigneur maitre me man misie manze abbe
pere soeur frere
""".split()  # noqa: SIM905
    )
    | ABBREVIATED
)
"""What stands before a name; « man » and « misié » are creole."""

ONLY_BEFORE_CAPITALS = frozenset(
    """
me man pere soeur frere abbe maitre pr
""".split()  # noqa: SIM905
)
"""Civilities that are ordinary words too."""

RELATIONS = frozenset(
    """
fils fille filles mari femme epouse epoux mere pere frere soeur voisin voisine collegue cousin cousine ami
amie copain copine oncle tante niece neveu bebe enfant enfants grand-mere grand-pere compagnon compagne
conjoint conjointe tonton tatie maman papa parrain marraine famille consorts heritiers locataire sieur dame
demoiselle feu proprietaire beau-frere belle-soeur beau-pere belle-mere petit-fils petite-fille
""".split()  # noqa: SIM905
)
"""What a person is to another."""

ROLES = frozenset(
    """
maire adjoint adjointe directeur directrice president presidente vice-president vice-presidente agent agente
conseiller conseillere animateur animatrice mediateur mediatrice coordinateur coordinatrice coordonnateur
coordonnatrice stagiaire gardien gardienne educateur educatrice elu elue depute deputee senateur senatrice
secretaire tresorier tresoriere referent referente professeur professeure chef cheffe etudiant etudiante
delegue deleguee prefet prefete sous-prefet sous-prefete chercheur chercheuse sociologue architecte
urbaniste ministre responsable charge chargee infirmier infirmiere formateur formatrice bibliothecaire
documentaliste employe employee avocat avocate juge notaire medecin instituteur institutrice enseignant
enseignante benevole facteur technicien technicienne assistante assistant proviseur habitant habitante
usager usagere temoin interlocuteur interlocutrice correspondant correspondante auteur autrice
""".split()  # noqa: SIM905
)
"""What a person does."""

ANNOUNCE = frozenset(
    """
appelle apelle appel appelait nomme nommee prenomme prenommee surnomme nom prenom soussigne soussignee signe
signee pseudonyme alias dit dite nomment denomme denommee
""".split()  # noqa: SIM905
)
"""After these, a name."""

LEAD = frozenset(
    """
chez part contacter contact appelez appeler rappelez rappeler demander demandez voir vu vue rencontre
attention selon apres suis c'est est ici avec expediteur destinataire cc copie de a merci par pour attn et
comme que qui ecrit remercie prevenir prevenez remercier remercions informer joindre signe invitant invite
remplace saluer recu recevoir aider accompagne croise eu consulter consulte interroger
""".split()  # noqa: SIM905
)
"""After these, a capital is often a name."""

HEADED = frozenset(
    """
participant present presente excuse excusee absent absente invite invitee intervenant intervenante
rapporteur rapporteuse redacteur redactrice signature contact destinataire emetteur animation presidence
secretariat mandataire titulaire beneficiaire demandeur demandeuse emprunteur emprunteuse lecteur lectrice
visa auteur autrice photographie photo realisation redaction interprete traductrice traducteur demandee recu
par pour
""".split()  # noqa: SIM905
)
"""Headings of lists of persons, before a colon, in the singular."""

GIVING = frozenset(
    """
envoyer envoie envoyez envoye transmettre transmets transmettez transmis transmet donner donne donnez
remettre remis remettez parler parle parlez demander demande demandez dire dis dites dit dirai ecrire ecris
ecrit repondre repondu reponds adresser adresse adressez adressez-vous confier confie confiez preter prete
rendre rends rendu grace merci rappeler rappelle telephoner telephone expliquer explique signaler signale
passer passe laisser laisse annoncer annonce faire fais suivre suis montrer montre presenter presente
attribue attribuer appartient appartenait bonjour bises pense penser destine courrier message lettre mail
""".split()  # noqa: SIM905
)
"""After these, « à » is before somebody."""

OF_SOMEBODY = frozenset(
    """
aide avis lettre mail courrier demande dossier accord reponse temoignage appel message presence cote part
nom visite absence arrivee depart decision proposition intervention initiative question remarque soutien
invitation copie signature adresse numero telephone portable anniversaire deces mort obseques naissance
enfants parents famille fils fille mere pere soeur frere mari femme epouse voisin voisine amis equipe
logement appartement maison salaire contrat poste bureau remplacement compte retour candidature cv plainte
livre bouquin film photo photos cahier carnet affaires sac cle cles voiture these memoire expose article
conseil prenom bebe maman papa copine copain collegue compagne mot avocat medecin
""".split()  # noqa: SIM905
)
"""What somebody has: « l'avis de Zobda »."""

CALLING = frozenset(
    """
contacter contactez appeler appelez rappeler rappelez demander prevenir prevenez remercier remercie
remercions informer joindre relancer rencontre saluer attend avertir aviser
""".split()  # noqa: SIM905
)
"""After these, somebody, even in small letters."""

SHORT_FIRST = frozenset("chr ch ph th fr jn jq cl cath alph em ed fred gab guil jos mce st-ange".split())  # noqa: SIM905
"""First names as they are cut short before a family name."""

HEADS = frozenset("jean marie anne rose pierre paul louis charles luc marc".split())  # noqa: SIM905
"""First names that another one often follows: « marie ange »."""

ARTICLES = frozenset("le la les l du des au aux un une cette ce cet notre votre leur".split())  # noqa: SIM905
"""Before these names of things, seldom names of persons."""

ACTS = frozenset(
    """
habite demande veut souhaite cherche attend travaille vit dit vient refuse pense rappellera voudrait
aimerait appellera appelle repond rappelle ecrit remercie occupe non passe passera viendra dira propose
precise explique ajoute ajoutait signale confirme insiste raconte rappelait repondait interroge estime
souligne intervient indique arrive part gere envoie prend donne apporte sait connait doit peut va
""".split()  # noqa: SIM905
)
"""What persons do, and places or bodies seldom."""

GREETINGS = frozenset(
    """
bonjour bonsoir salut cher chere chers cheres hello coucou bjr bsr merci ici
""".split()  # noqa: SIM905
)
"""How a message begins."""

NAMED_AFTER = frozenset(
    """
lycee ecole ecoles college rue avenue boulevard allee impasse place square quai route stade hopital chu
clinique aeroport bibliotheque mediatheque centre salle espace maison cite residence quartier fondation prix
theatre gymnase complexe parc jardin pont tour musee institut universite habitation groupe foyer creche
maternelle loi rapport plan circulaire amendement decret dispositif rond-point statue mausolee tombeau anse
pointe morne baie ilet fort riviere cathedrale eglise paroisse chapelle commune ville bourg lotissement
immeuble chemin zac zus marche halle piscine esplanade auditorium campus port canal
""".split()  # noqa: SIM905
)
"""What is named after people."""

BETWEEN = frozenset(
    """
de du des la le les d l docteur general professeur abbe pere monseigneur marechal president et
""".split()  # noqa: SIM905
)
"""What may stand between such a thing and the name."""

STOP = frozenset(
    """
le la les un une des du de au aux en y et ou ni mais donc or car que qui quoi dont ce cet cette ces cela
ceci se sa son ses leur leurs mon ma mes ta ton tes notre nos votre vos je j tu il elle on nous vous ils
elles lui eux me te moi toi dans par pour sur avec sans sous vers chez entre est sont etre ai as a avons
avez ont avait etait ne n pas plus tres bien si quand comme comment pourquoi quel quelle quels quelles tous
toutes tout toute aussi alors bonjour bonsoir merci salut cordialement svp stp madame monsieur mesdames
messieurs mademoiselle ici voici voila peut peux veut veux dit doit fait va oui non deja encore toujours
jamais objet re tr fwd cc tel mail suite selon depuis pendant avant apres avez-vous pouvez-vous peut-on
est-ce y-a-t-il l d s c e janvier fevrier mars avril mai juin juillet aout septembre octobre novembre
decembre lundi mardi mercredi jeudi vendredi samedi dimanche noel beaucoup trop assez peu moins mieux plutot
hormis souvent parfois longtemps aujourd'hui aujourd hui tard tot jadis naguere notamment egalement
neanmoins pourtant certes dehors dessus loin partout ailleurs quelqu'un quelqu plusieurs combien internet
sms web ok bjr slt cad etc mr mme wifi facebook whatsapp instagram ecoquartier gentrification beke kreyol
mawon lakou gwoka bele covid cas temps avis taux pays refus preavis deces corps choix acces repos gaz repas
devis voix bonus propos precis poids abus relais cursus virus succes colis exces processus lois rabais
debours sas dos jus flux surplus puits croquis prospectus progres croix campus index chassis talus quant
quarante cinquante soixante quatorze vite voire soi via auquel duquel auxquels auxquelles desquels
desquelles lequel laquelle lesquels lesquelles davantage plupart hoc eme courriel courriels foi tant fur
huis quasi anti pass pdf blog fax https email emails dela encontre travers lundis rendez-vous vis-a-vis
youtube google linkedin twitter tiktok netflix zoom skype teams excel word powerpoint gmail outlook windows
android iphone digicel microsoft adobe epoux epouses precieux grand-chose celui celle ceux celles hello
coucou hi mwen ki moun we zot ola sav ka pou nou yo li epi adan anle tini te ke fe bagay anpil ban vini
dosye okipe ekri di se rdv urgent dossier nb ps attn pj infos info docs doc biblio asap
""".split()  # noqa: SIM905
)
"""Words that are never a name nor a part of one."""

FIGURES = frozenset(
    """
aime cesaire|charles de gaulle|christiane taubira|edouard glissant|emmanuel macron|felix eboue
|francois hollande|francois lamy|frantz fanon|gaston monnerville|henri lefebvre|jean jaures
|jean louis borloo|joseph zobel|jules ferry|leon gontran damas|louis delgres|maryse conde|nicolas sarkozy
|patrick chamoiseau|pierre bourdieu|raphael confiant|robert schuman|jean monnet
|saint john perse|simone veil|toussaint louverture
|victor hugo|victor schoelcher
""".replace("\n", "").split("|")
)
"""Public figures that people of this field quote: never personal data by their full name alone."""

FIRST_NAMES_TOO = frozenset(
    """
aimable aime aimee alize alpha ambre ange angelique arcade argentine assomption aurore avril barbe brune
camelia candide cannelle capucine cerise chretien christ clair claire clairette colombe conception constant
dahlia dina divine don donna eden emeraude emir esperance felicite fidele fleur flore floreal fortune
fortunee franc garance grace gracieuse harmonie honore incarnation innocent islam jade jasmin junior juste
laid lamine line lino lise lorette lorraine loup mai manuel manuelle marie marin marine martial melodie
modeste myrtille nadir noel octave olive olympe ondine paquerette parfait perla perle pierre placide
precieuse prince prudence prudent prune radia rami reine rida rima rime romain romaine roman romane rosaire
rose rosette saint sainte samba satine sauveur sema sultan sylvestre toscane urbain van vanille victoire
violette vital voltaire desire desiree colline come eglantine hermine macha matis mina mira nais olivier
philippine servais tais tara constance clemence luis anes anas marjolaine pierrot
""".split()  # noqa: SIM905
)
"""Of the first names borne often, those that are ordinary words as well."""

THINGS = frozenset(
    """
association asso club societe entreprise cabinet radio journal revue magazine editions logiciel site reseau
magasin operation plateforme groupe groupement marque banque agence collectif compagnie federation
cooperative festival concours contrat operateur bailleur hotel restaurant snack boutique
fichier formulaire document application outil version page chapitre figure tableau annexe carte ilot secteur
zone route ravine canal bassin vallee region departement canton iris territoire cite regie service bureau
direction mission comite conseil ministere prefecture mairie office caisse fonds pole maison union syndicat
parti ligue mouvement cabinet etude enquete loi accord charte pacte label
""".split()  # noqa: SIM905
)
"""What bears a name of its own that no person needs to bear."""

PLACES = tuple(
    """
Ain|Aisne|Allier|Ardèche|Ardennes|Ariège|Aveyron|Bouches-du-Rhône|Calvados|Cantal|Charente|Charente-Maritime
|Cher|Corrèze|Corse|Côte-d’Or|Côtes-d’Armor|Creuse|Dordogne|Doubs|Drôme|Eure|Eure-et-Loir|Finistère|Gard
|Haute-Garonne|Gers|Gironde|Hérault|Ille-et-Vilaine|Indre|Indre-et-Loire|Isère|Jura|Landes|Loir-et-Cher
|Loire|Haute-Loire|Loire-Atlantique|Loiret|Lozère|Maine-et-Loire|Manche|Marne|Haute-Marne|Mayenne
|Meurthe-et-Moselle|Meuse|Morbihan|Moselle|Nièvre|Oise|Orne|Pas-de-Calais|Puy-de-Dôme
|Pyrénées-Atlantiques|Hautes-Pyrénées|Pyrénées-Orientales|Bas-Rhin|Haut-Rhin|Rhône|Haute-Saône
|Saône-et-Loire|Sarthe|Savoie|Haute-Savoie|Seine|Seine-Maritime|Seine-et-Marne|Yvelines|Deux-Sèvres|Somme
|Tarn|Tarn-et-Garonne|Vaucluse|Vendée|Vienne|Haute-Vienne|Vosges|Yonne|Essonne|Hauts-de-Seine
|Seine-Saint-Denis|Val-de-Marne|Val-d’Oise|Guadeloupe|Martinique|Guyane|Réunion|La Réunion|Mayotte|Polynésie
|Nouvelle-Calédonie|Miquelon|Wallis|Futuna|Auvergne|Auvergne-Rhône-Alpes|Bourgogne|Franche-Comté|Bretagne
|Centre-Val de Loire|Grand Est|Hauts-de-France|Île-de-France|Normandie|Nouvelle-Aquitaine|Aquitaine
|Occitanie|Pays de la Loire|Provence|Provence-Alpes-Côte d’Azur|Alsace|Picardie|Antilles|Caraïbe|Caraïbes
|Amazonie|Amérique|Afrique|Asie|Océanie|Méditerranée|Atlantique|Pacifique|Outre-mer|Haïti
|Sainte-Lucie|Cuba|Jamaïque|Trinidad|Barbade|Porto Rico|Suriname|Brésil|Colombie|Venezuela|Canada|Québec
|Mexique|États-Unis|Chine|Inde|Liban|Syrie|Turquie|Maroc|Algérie|Tunisie|Sénégal|Mali|Congo|Cameroun
|Madagascar|Comores|Allemagne|Belgique|Suisse|Italie|Espagne|Portugal|Angleterre|Royaume-Uni|Irlande
|Pologne|Roumanie|Ukraine|Russie|Bruxelles|Londres|Lyon|Lille|Bordeaux|Toulouse|Nantes|Rennes|Strasbourg
|Montpellier|Nice|Grenoble|Rouen|Dijon|Nancy|Metz|Orléans|Tours|Angers|Le Havre|Le Mans|Brest|Reims|Amiens
|Limoges|Créteil|Versailles|Nanterre|Bobigny|Saint-Denis|Roubaix|Tourcoing|Mulhouse|Perpignan|Avignon|Toulon
|Nîmes|New York|Miami|Genève|Berlin|Barcelone|Madrid|Lisbonne|Washington|Castries|Roseau|Port-au-Prince
|Saint-Domingue|Alsace-Moselle|Pelée|Montagne Pelée|Soufrière|Capesterre
""".replace("\n", "").split("|")
)
"""Departments, regions, countries and towns (Code officiel géographique, ISO 3166) that texts of the field
name with a capital and no article. Those that are first names too (Aude, Lot) are left out."""
