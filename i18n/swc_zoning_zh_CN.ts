<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN" sourcelanguage="en">
    <context>
        <name>ConditionsDialog</name>
        <message>
            <location filename="../swc_zoning/gui/rule_editors.py" />
            <source>A role ticked alone means any tier. Or write it: role:tier,tier; role</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>MeasuresDialog</name>
        <message>
            <location filename="../swc_zoning/gui/rule_editors.py" />
            <source>Measures that the rule gives</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>RoleTree</name>
        <message>
            <location filename="../swc_zoning/gui/rule_editors.py" />
            <source>Roles and tiers</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>RuleBench</name>
        <message>
            <location filename="../swc_zoning/gui/rule_bench.py" />
            <source>Test bench</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rule_bench.py" />
            <source>Search roles</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rule_bench.py" />
            <source>C&amp;lear</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rule_bench.py" />
            <source>Untick every role</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rule_bench.py" />
            <source>Tick what covers a piece of land; a role alone is of an unknown tier</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rule_bench.py" />
            <source>What the table says</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rule_bench.py" />
            <source>The table has errors: mend them first, then it can be asked.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rule_bench.py" />
            <source>Conflicts</source>
            <translation>冲突</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rule_bench.py" />
            <source>Articles</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rule_bench.py" />
            <source>Rules that hold</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rule_bench.py" />
            <source>confirmed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rule_bench.py" />
            <source>pending: a tier is unknown</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rule_bench.py" />
            <source>{status}; {force}; control standard of grade {grade}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rule_bench.py" />
            <source>Measures</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rule_bench.py" />
            <source>none</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rule_bench.py" />
            <source>decides the zone</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>RuleTableModel</name>
        <message>
            <location filename="../swc_zoning/gui/rule_model.py" />
            <source>{sign} follows from law: weakening it is told</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rule_model.py" />
            <source>{sign} differs from the shipped table</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>RulesPage</name>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Rules</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Errors in the table: {count}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Weakens what follows from law: {count}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Shipped table {name}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Own table {name}, no errors</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Zones</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Measures</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Conflicts</source>
            <translation>冲突</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Findings</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Click a finding to see its row</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Decision table</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Search</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>&amp;Add</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Add a row below</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>D&amp;uplicate</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>&amp;Remove</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>&amp;Import…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>&amp;Export…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>&amp;Back to the shipped table</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>&amp;More</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Add a row</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Duplicate a row</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Remove rows</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Move a row</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Back to the shipped table</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Select a row first</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Copy the current row under a new id</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Remove the selected rows</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Move the row; the rank of a zone moves with it</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>There is nothing to undo</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Undo: {what}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>There is nothing to redo</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Redo: {what}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>The table cannot be used until its errors are mended; the city is not zoned with it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>No shipped table has this profile: changes against it cannot be shown.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Decision tables</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Import a decision table</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Workbook</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Export the decision table</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>{name} was not imported:</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Import {name}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <location filename="../swc_zoning/gui/rules_page.py" />
            <source>Written: {path}</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>SwcZoning</name>
        <message>
            <location filename="../swc_zoning/plugin.py" />
            <source>Soil and Water Conservation Zoning</source>
            <translation>水土保持空间管控分区</translation>
        </message>
        <message>
            <location filename="../swc_zoning/plugin.py" />
            <source>Delineate Control Zones…</source>
            <translation>划定管控分区…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/plugin.py" />
            <source>SWC Zoning Workbench</source>
            <translation>水土保持管控分区工作台</translation>
        </message>
    </context>
    <context>
        <name>Workbench</name>
        <message>
            <location filename="../swc_zoning/gui/workbench.py" />
            <source>Soil and Water Conservation Zoning</source>
            <translation>水土保持空间管控分区</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/workbench.py" />
            <source>Pages</source>
            <translation>页面</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/workbench.py" />
            <source>&amp;Working folder…</source>
            <translation>工作文件夹(&amp;W)…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/workbench.py" />
            <source>Where the job, the rules and the results of this project are kept</source>
            <translation>存放本项目的作业、决策表和成果的文件夹</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/workbench.py" />
            <source>&amp;Demo city…</source>
            <translation>示范城市(&amp;D)…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/workbench.py" />
            <source>Copy the demo city into a folder and zone it</source>
            <translation>把示范城市复制到所选文件夹并划定分区</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/workbench.py" />
            <source>Cancel</source>
            <translation>取消</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/workbench.py" />
            <source>not chosen yet</source>
            <translation>尚未选择</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/workbench.py" />
            <source>Working folder</source>
            <translation>工作文件夹</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/workbench.py" />
            <source>Folder for the demo city</source>
            <translation>存放示范城市的文件夹</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/workbench.py" />
            <source>Making the demo city</source>
            <translation>生成示范城市</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/workbench.py" />
            <source>Demo city</source>
            <translation>示范城市</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/workbench.py" />
            <source>, about {seconds} s left</source>
            <translation>，约剩 {seconds} 秒</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/workbench.py" />
            <source>Stopping…</source>
            <translation>正在停止…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/workbench.py" />
            <source>Cancelled; nothing was left behind.</source>
            <translation>已取消，没有留下任何文件。</translation>
        </message>
    </context>
    <context>
        <name>ZoningPage</name>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Zoning</source>
            <translation>划定分区</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Ready to run</source>
            <translation>可以运行</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Job or rules changed since the last run</source>
            <translation>上次运行后作业或决策表有改动</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>for example: current rules</source>
            <translation>例如：现行规则</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Results of one scenario share a group in the layer tree</source>
            <translation>同一方案的成果在图层树中共用一个组</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Draft: flaws are listed</source>
            <translation>草案：缺陷只列出</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Submission: flaws stop the run</source>
            <translation>报送：有缺陷即停止</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Scenario</source>
            <translation>方案</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Mode</source>
            <translation>模式</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>&amp;Zone the city</source>
            <translation>划定分区(&amp;Z)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Open &amp;folder</source>
            <translation>打开文件夹(&amp;F)</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>&amp;Save this table…</source>
            <translation>保存此表(&amp;S)…</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Zone areas</source>
            <translation>分区面积</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Mutually exclusive areas: they close to the district</source>
            <translation>互斥分区面积（闭合）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Feature areas</source>
            <translation>要素面积</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Areas of source features: they may overlap and do not close</source>
            <translation>要素面积（可重叠，不闭合）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Conflicts</source>
            <translation>冲突</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Double-click to see the place; no approved line is changed</source>
            <translation>双击定位；不改动任何已批准的界线</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Missing layer</source>
            <translation>缺少的图层</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Missing</source>
            <translation>缺少图层</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>What these layers would decide is not known: a general zone never means cleared</source>
            <translation>这些图层所能决定的内容未知：“一般管控区”不等于经核实无管控要求</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Proofs</source>
            <translation>校验台账</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>What every run proves on its final polygons</source>
            <translation>每次运行在最终图形上自证的内容</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Something is running</source>
            <translation>有运算正在进行</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Choose a working folder first</source>
            <translation>请先选择工作文件夹</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>No layer has a role yet: see the page Layers</source>
            <translation>还没有图层指定角色：见“图层”页</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>The decision table has errors: see the page Rules</source>
            <translation>决策表有错误：见“规则”页</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>{pieces} pieces, {conflicts} conflicts</source>
            <translation>{pieces} 个图斑，{conflicts} 处冲突</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Runs in the background; the map stays usable</source>
            <translation>在后台运行，期间地图仍可使用</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>There is no result yet</source>
            <translation>还没有成果</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Zoned: {words}.</source>
            <translation>分区完成：{words}。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Save the table</source>
            <translation>保存表格</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Where</source>
            <translation>范围</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Zone</source>
            <translation>管控分区</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Confirmed (ha)</source>
            <translation>已确认（公顷）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Pending (ha)</source>
            <translation>待核（公顷）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Pieces</source>
            <translation>图斑数</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Role</source>
            <translation>角色</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Tier</source>
            <translation>等级</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Features</source>
            <translation>要素数</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Ellipsoidal (ha)</source>
            <translation>椭球面积（公顷）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Kind</source>
            <translation>类型</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Severity</source>
            <translation>程度</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Conflict</source>
            <translation>冲突</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Area (ha)</source>
            <translation>面积（公顷）</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>First</source>
            <translation>甲方要素</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Second</source>
            <translation>乙方要素</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Settling rule</source>
            <translation>处理规则</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Basis</source>
            <translation>依据</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Proof</source>
            <translation>校验项</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Value</source>
            <translation>数值</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Whole extent</source>
            <translation>全域</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Land</source>
            <translation>陆域</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Sea</source>
            <translation>海域</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>Total</source>
            <translation>合计</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>{area} ha in {pieces} pieces; {missing} expected layers are missing.</source>
            <translation>共 {area} 公顷，{pieces} 个图斑；缺少 {missing} 个应有图层。</translation>
        </message>
        <message>
            <location filename="../swc_zoning/gui/zoning_page.py" />
            <source>{area} ha are pending: decided by the strictest reading, counted apart.</source>
            <translation>其中 {area} 公顷待核：按从严原则暂定，单独统计。</translation>
        </message>
    </context>
    <context>
        <name>_Picker</name>
        <message>
            <location filename="../swc_zoning/gui/rule_editors.py" />
            <source>Search</source>
            <translation type="unfinished" />
        </message>
    </context>
</TS>
